import type { EngineKind } from '../engines.ts';

/** What an engine does otherwise than dockerd, as far as a client can see it. */
export interface ClientDifference {
  readonly engine: EngineKind;
  /** Title of the fact, or its start. */
  readonly fact: string;
  readonly because: string;
}

const HIDDEN_PLUGINS = 'its network plugins are hidden from it: they would change the machine’s packet filter';
const podman = (fact: string, because: string): ClientDifference => ({ engine: 'podman', fact, because });
const fairlead = (fact: string, because: string): ClientDifference => ({ engine: 'fairlead', fact, because });

/** Facts that do not hold with an engine; when one does, its row has to go. Podman: Debian's 4.3.1. */
export const CLIENT_DIFFERENCES: readonly ClientDifference[] = [
  podman('limits are changed', 'it has no such endpoint for clients of Docker: 404'),
  podman('a taken name is a conflict', 'it answers 500'),
  podman('networks are made and removed', HIDDEN_PLUGINS),
  podman('containers join networks', HIDDEN_PLUGINS),
  podman('a login is tried', 'it asks over TLS, whatever its settings say of the registry'),
  podman('what the registry has', 'it has no such endpoint: 404'),
  ...[
    'networks are made and removed',
    'containers join networks',
    'an image is pushed and pulled',
    'what the registry does not have',
    'a login comes from the caller',
    'a login is tried',
    'what the registry has',
    'an image is built',
    'a build that fails',
  ].map((fact) => fairlead(fact, 'it does not serve it yet: 501')),
];
