import type { HostId } from '@fairlead/protocol/fleet';

/** Headers of `GET /v1/link`, with `Upgrade: fairlead-link`. */
export const LINK_HEADERS: Readonly<Record<'host' | 'nonce' | 'signature', string>> = {
  host: 'fairlead-host',
  nonce: 'fairlead-nonce',
  signature: 'fairlead-signature',
};

/** What `Upgrade` says there. */
export const LINK_UPGRADE = 'fairlead-link';

/** A nonce of `POST /v1/link/challenge` is worthless after this. */
export const LINK_NONCE_MS = 30_000;

/** What an agent signs with its nkey: said in words, so that a signature asked for by anybody else can never serve for this. */
export function linkProof(host: HostId, nonce: string): string {
  return `${LINK_UPGRADE}\n${host}\n${nonce}`;
}
