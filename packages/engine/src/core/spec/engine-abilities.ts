import type { HostFacts } from './host-facts.ts';

/** What this engine can do, where that is not the host's to say. */
export interface EngineAbilities {
  /** Names for HostConfig.Runtime; the first is the default. */
  readonly runtimes: readonly string[];
  /** Whether there is a program for HostConfig.Init. */
  readonly hasInit: boolean;
}

/** What a create is checked against. */
export interface ValidateDeps {
  readonly facts: HostFacts;
  readonly abilities: EngineAbilities;
}
