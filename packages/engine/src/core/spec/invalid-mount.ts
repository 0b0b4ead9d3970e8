import { EngineError } from '@fairlead/protocol';

/** The refusal of a mount, in Docker's words: `invalid mount config for type "bind": …`. */
export function invalidMount(type: string, reason: string): EngineError {
  return new EngineError('invalid-argument', `invalid mount config for type ${JSON.stringify(type)}: ${reason}`);
}
