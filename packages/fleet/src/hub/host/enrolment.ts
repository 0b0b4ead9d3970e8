import type {
  EnrolAnswer,
  EnrolmentToken,
  EnrolRequest,
  HostChange,
  NatsWay,
  TokenRequest,
} from '@fairlead/protocol/fleet';
import { type HostClock, sinceMs } from '../../lib/host-clock.ts';
import { randomHostId, randomToken } from '../../lib/random-id.ts';
import { isPublicKey } from '../../nats/fleet-key.ts';
import type { NatsAgent } from '../../nats/nats-config.ts';
import { isSameHash, newSecret, secretHash } from '../access/secret.ts';
import { HubError } from '../operation/hub-error.ts';
import type { HostRecord, HostsTable } from '../store/hosts-table.ts';
import type { TokenRecord, TokensTable } from '../store/tokens-table.ts';

/** Who may connect to NATS. */
export interface NatsGate {
  /** Resolves when these agents and no others may. */
  setAgents(agents: readonly NatsAgent[]): Promise<void>;
}

/** What enrolment works with. */
export interface EnrolmentDeps {
  readonly hosts: HostsTable;
  readonly tokens: TokensTable;
  readonly clock: HostClock;
  readonly gate: NatsGate;
  /** How agents reach NATS. */
  readonly way: NatsWay;
}

/** A token that names no time is good for an hour. */
export const TOKEN_MS: number = 3_600_000;
/** Tokens that wait to be used. */
const TOKENS_MAX = 10_000;
/** Hosts of one hub: what one nats-server's configuration can be reloaded with in a second. */
export const HOSTS_MAX = 10_000;

/** Lets hosts into the fleet, each by a token that works once, and out of it. */
export class Enrolment {
  readonly #deps: EnrolmentDeps;

  constructor(deps: EnrolmentDeps) {
    this.#deps = deps;
  }

  tokens(): readonly EnrolmentToken[] {
    return this.#deps.tokens.all().flatMap((token) => (this.#leftMs(token) > 0 ? this.#shown(token) : []));
  }

  /** Makes a token; it is in the answer and nowhere else. @throws HubError 'CONFLICT' when the name is a host's already. */
  async makeToken(request: TokenRequest, createdBy: string): Promise<EnrolmentToken & { readonly token: string }> {
    const { clock, hosts, tokens } = this.#deps;
    await this.#dropExpired();
    if (tokens.all().length >= TOKENS_MAX) throw new HubError('TOO_MANY', `${TOKENS_MAX} tokens wait to be used`);
    if (request.name !== undefined && hosts.byName(request.name) !== undefined) throw nameTaken(request.name);
    const token = newSecret('fle');
    const record = {
      id: `tok_${randomToken()}`,
      tokenHash: secretHash(token),
      name: request.name ?? null,
      labels: request.labels ?? {},
      createdBy,
      createdAt: Date.now(),
      moment: { bootId: clock.bootId, ms: clock.nowMs() },
      expiresMs: request.expiresMs ?? TOKEN_MS,
    };
    await tokens.add(record);
    return { ...this.#shown(record), token };
  }

  /** @throws HubError 'NOT_FOUND' */
  async dropToken(id: string): Promise<void> {
    const { taken, stored } = this.#deps.tokens.take(id);
    await stored;
    if (!taken) throw new HubError('NOT_FOUND', `no such token: ${id}`);
  }

  /**
   * Takes a host in. Asked again with the same token and key (its answer was lost), the answer is the same.
   *
   * @throws HubError 'UNAUTHORIZED' for a token that is not good, 'CONFLICT' for a name or key of another host, 'INVALID'.
   */
  async enrol(request: EnrolRequest): Promise<{ readonly answer: EnrolAnswer; readonly isNew: boolean }> {
    const { hosts, tokens } = this.#deps;
    const tokenHash = secretHash(request.token);
    if (!isPublicKey(request.publicKey)) throw new HubError('INVALID', 'the public key is not that of an nkey');
    const known = hosts.byPublicKey(request.publicKey);
    if (known !== undefined && isSameHash(known.tokenHash, tokenHash)) {
      await this.openGate();
      return { answer: this.#answer(known), isNew: false };
    }
    const token = tokens.byTokenHash(tokenHash);
    if (token === undefined || this.#leftMs(token) === 0) {
      throw new HubError(
        'UNAUTHORIZED',
        'the enrolment token is not known: it was used, has expired, or was never made',
      );
    }
    const host = this.#newHost(request, { ...token, tokenHash });
    // One transaction: the token is used and the host is there, or neither.
    const used = tokens.take(token.id);
    await Promise.all([used.stored, hosts.put(host)]);
    await this.openGate();
    return { answer: this.#answer(host), isNew: true };
  }

  /** @throws HubError 'CONFLICT' when the name is another host's. */
  async change(host: HostRecord, { name, labels }: HostChange): Promise<HostRecord> {
    const other = name === undefined ? undefined : this.#deps.hosts.byName(name);
    if (name !== undefined && other !== undefined && other.id !== host.id) throw nameTaken(name);
    const changed = { ...host, name: name ?? host.name, labels: labels ?? host.labels };
    await this.#deps.hosts.put(changed);
    return changed;
  }

  /** Its key is worthless, and its connections are cut, when this resolves. */
  async remove(host: HostRecord): Promise<void> {
    await this.#deps.hosts.remove(host.id);
    await this.openGate();
  }

  /** Lets every enrolled host in, and no other. */
  async openGate(): Promise<void> {
    await this.#deps.gate.setAgents(this.#deps.hosts.all().map(({ id, publicKey }) => ({ host: id, publicKey })));
  }

  #newHost(request: EnrolRequest, token: TokenRecord): HostRecord {
    const { hosts } = this.#deps;
    const id = randomHostId();
    const name = token.name ?? request.name ?? id;
    if (hosts.size >= HOSTS_MAX) throw new HubError('TOO_MANY', `a hub has at most ${HOSTS_MAX} hosts`);
    if (hosts.byName(name) !== undefined) throw nameTaken(name);
    if (hosts.byPublicKey(request.publicKey) !== undefined) {
      throw new HubError('CONFLICT', 'that key is of a host that is enrolled already');
    }
    // What whoever made the token says of the host counts more than what the host says of itself.
    const labels = { ...request.labels, ...token.labels };
    return { id, name, labels, publicKey: request.publicKey, tokenHash: token.tokenHash, enrolledAt: Date.now() };
  }

  #answer({ id, name }: HostRecord): EnrolAnswer {
    return { host: id, name, nats: this.#deps.way };
  }

  #leftMs({ moment, expiresMs, createdAt }: TokenRecord): number {
    return Math.max(0, expiresMs - (sinceMs(this.#deps.clock, moment) ?? Date.now() - createdAt));
  }

  async #dropExpired(): Promise<void> {
    const { tokens } = this.#deps;
    const expired = tokens.all().filter((token) => this.#leftMs(token) === 0);
    await Promise.all(expired.map(({ id }) => tokens.take(id).stored));
  }

  #shown(token: TokenRecord): EnrolmentToken {
    const { id, name, labels, createdBy, createdAt } = token;
    const at = new Date(createdAt).toISOString();
    return { id, name, labels, createdBy, createdAt: at, expiresInMs: Math.round(this.#leftMs(token)) };
  }
}

function nameTaken(name: string): HubError {
  return new HubError('CONFLICT', `there is a host ${name} already`);
}
