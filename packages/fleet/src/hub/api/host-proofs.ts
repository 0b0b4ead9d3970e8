import { createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type HostId, isHostId } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { LINK_HEADERS, LINK_NONCE_MS, linkProof, type LinkUpgrade } from '../../lib/link-proof.ts';
import { randomToken } from '../../lib/random-id.ts';
import { isSignedBy } from '../../nats/fleet-key.ts';
import { isSameHash } from '../access/secret.ts';
import { HubError } from '../operation/hub-error.ts';
import { type Endpoint, endpointWithBody, type HubParts } from './endpoint.ts';

/** Has agents prove that they are the host they say: they sign a nonce that works once, and for `LINK_NONCE_MS`. */
export class HostProofs {
  /** A nonce carries its own proof, so that asking for many of them costs nothing here. Only those that were used are kept. */
  readonly #secret = randomBytes(32);
  readonly #used = new Map<string, number>();

  /** `POST /v1/link/challenge`: the same answer for a host that there is and for one that there is not. */
  get endpoint(): Endpoint {
    return endpointWithBody(
      { method: 'POST', path: '/v1/link/challenge', role: null, body: challengeSchema },
      async ({ clock }, { body: { host } }) => {
        if (!isHostId(host)) throw new HubError('INVALID', 'host: not a host id');
        const nonce = this.#sealed(`${host}.${Math.floor(clock.nowMs())}.${randomToken()}`);
        return { status: 200, body: { nonce, expiresInMs: LINK_NONCE_MS } };
      },
    );
  }

  /** Whose request it is that asks for this upgrade. @throws HubError 'UNAUTHORIZED' */
  proven({ hosts, clock }: HubParts, { headers }: IncomingMessage, upgrade: LinkUpgrade): HostId {
    const [id = '', nonce = '', signature = ''] = [LINK_HEADERS.host, LINK_HEADERS.nonce, LINK_HEADERS.signature].map(
      (name) => String(headers[name] ?? ''),
    );
    const host = hosts.get(id);
    if (
      host === undefined ||
      !this.#isFresh(nonce, host.id, clock.nowMs()) ||
      !isSignedBy(host.publicKey, linkProof(upgrade, host.id, nonce), signature)
    ) {
      throw new HubError('UNAUTHORIZED', 'not an enrolled host, or not its signature');
    }
    this.#used.set(nonce, clock.nowMs());
    return host.id;
  }

  #isFresh(nonce: string, host: HostId, nowMs: number): boolean {
    for (const [used, usedMs] of this.#used) {
      if (nowMs - usedMs <= LINK_NONCE_MS) break;
      this.#used.delete(used);
    }
    const [madeFor = '', madeMs = '', random = ''] = nonce.split('.');
    const ageMs = nowMs - Number(madeMs);
    if (madeFor !== host || this.#used.has(nonce) || !(ageMs >= 0 && ageMs <= LINK_NONCE_MS)) return false;
    return isSameHash(nonce, this.#sealed(`${madeFor}.${madeMs}.${random}`));
  }

  #sealed(text: string): string {
    return `${text}.${createHmac('sha256', this.#secret).update(text).digest('base64url')}`;
  }
}

const challengeSchema = v.object({ host: v.pipe(v.string(), v.maxLength(64)) });
