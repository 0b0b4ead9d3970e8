import type { HostId } from '@fairlead/protocol/fleet';

/** Headers of `GET /v1/link`. */
export const LINK_HEADERS: Readonly<Record<'host' | 'nonce' | 'signature', string>> = {
  host: 'fairlead-host',
  nonce: 'fairlead-nonce',
  signature: 'fairlead-signature',
};

/** What `Upgrade` says there: a pipe to the hub's nats-server, or a trunk for the frames of sessions. */
export type LinkUpgrade = 'fairlead-link' | 'fairlead-trunk';

/** Headers of the answer to a trunk: which hub it is, and its name for the trunk. */
export const TRUNK_HEADERS: Readonly<Record<'hub' | 'trunk', string>> = {
  hub: 'fairlead-hub',
  trunk: 'fairlead-trunk',
};

/** A nonce of `POST /v1/link/challenge` is worthless after this. */
export const LINK_NONCE_MS = 30_000;

/** What an agent signs with its nkey: said in words, so that a signature asked for by anybody else can never serve for this. */
export function linkProof(upgrade: LinkUpgrade, host: HostId, nonce: string): string {
  return `${upgrade}\n${host}\n${nonce}`;
}
