import type { HubTrunks } from '../sessions/hub-trunks.ts';
import { HubError } from '../operation/hub-error.ts';
import type { HubParts } from './endpoint.ts';
import type { HostProofs } from './host-proofs.ts';
import type { UpgradeEndpoint } from './hub-server.ts';
import type { LinkPipes } from './link-pipes.ts';

/** What an agent that has proved its host may have of the hub's port. */
export interface LinkWays {
  readonly proofs: HostProofs;
  /** Undefined where a site's own NATS is reached directly. */
  readonly pipes: LinkPipes | undefined;
  readonly trunks: HubTrunks;
}

/** `GET /v1/link`: a pipe to NATS, or a trunk for sessions, until either side ends. */
export function linkUpgrade(parts: HubParts, { proofs, pipes, trunks }: LinkWays): UpgradeEndpoint {
  return {
    method: 'GET',
    path: '/v1/link',
    open: async (request, socket) => {
      if (request.headers.upgrade === 'fairlead-trunk') {
        return trunks.accept(proofs.proven(parts, request, 'fairlead-trunk'), socket);
      }
      if (pipes === undefined) throw new HubError('NOT_FOUND', 'agents of this fleet reach NATS directly');
      await pipes.open(proofs.proven(parts, request, 'fairlead-link'), socket, parts.log);
    },
  };
}
