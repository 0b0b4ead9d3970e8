import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { EngineError } from '@fairlead/protocol';
import { type HostId, isHostId } from '@fairlead/protocol/fleet';
import { type FleetKey, loadOrCreateKey } from '../../nats/fleet-key.ts';
import { type HubAddress, postToHub } from './hub-http.ts';

/** How this host reaches NATS: by addresses of its own, or through the hub's port. */
export type NatsRoute = { readonly urls: readonly string[] } | { readonly via: 'hub' };

/** Who this host is in the fleet. The key never leaves it. */
export interface Identity {
  readonly host: HostId;
  readonly hub: HubAddress;
  readonly nats: NatsRoute;
  readonly key: FleetKey;
  /** The journal that belongs to it; undefined: there was none yet. */
  readonly journalId: string | undefined;
}

export interface EnrolOptions {
  readonly directory: string;
  /** `http://HOST:PORT` or `https://…`; undefined: the one it was enrolled with. */
  readonly hub: string | undefined;
  /** Certificates to trust at the hub, PEM; undefined: those it was enrolled with, else the system's. */
  readonly hubCa: string | undefined;
  /** Used once; undefined: it is enrolled already. */
  readonly token: string | undefined;
  /** The host's name in the fleet; the machine's when absent. */
  readonly name: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

const hostIdSchema = v.custom<HostId>((value) => typeof value === 'string' && isHostId(value), 'not a host id');
const routeSchema = v.union([
  v.object({ urls: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(64)) }),
  v.object({ via: v.literal('hub') }),
]);
const answerSchema = v.object({ host: hostIdSchema, nats: routeSchema });
const fileSchema = v.object({
  version: v.literal(1),
  host: hostIdSchema,
  hub: v.string(),
  hubCa: v.optional(v.string()),
  nats: routeSchema,
  publicKey: v.string(),
  journalId: v.optional(v.string()),
});

/**
 * Who this host is: kept from the first time, or enrolled now with a one-time token. The key is made here and on disk before the
 * hub hears of it, so an enrolment whose answer was lost can be repeated with the same key.
 *
 * @throws EngineError 'invalid-argument' without token or hub at the first time; the hub's refusal; 'unavailable' when it cannot
 * be reached.
 */
export async function identify(options: EnrolOptions, signal: AbortSignal): Promise<Identity> {
  const { directory } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const key = await loadOrCreateKey(join(directory, 'nkey.seed'));
  const kept = await readIdentity(join(directory, 'identity.json'));
  if (kept === undefined) return await enrol(options, key, signal);
  if (kept.publicKey !== key.publicKey) {
    throw new EngineError('conflict', `${directory} holds the key of another host than its identity.json`);
  }
  const { host, nats, journalId } = kept;
  const hub = { url: options.hub ?? kept.hub, ca: options.hubCa ?? kept.hubCa };
  return { host, nats, journalId, key, hub };
}

/** Writes down which journal belongs to this host. */
export async function keepJournalId(directory: string, identity: Identity, journalId: string): Promise<void> {
  if (identity.journalId !== journalId) await writeIdentity(directory, { ...identity, journalId });
}

async function enrol(options: EnrolOptions, key: FleetKey, signal: AbortSignal): Promise<Identity> {
  const { hub: url, hubCa: ca, token, directory, name = hostname(), labels } = options;
  if (url === undefined || token === undefined) {
    throw new EngineError(
      'invalid-argument',
      `this host is not enrolled (nothing in ${directory}): give --hub and --token. A token comes from: fairlead fleet token create`,
    );
  }
  const hub = { url, ca };
  const body = { token, publicKey: key.publicKey, name, labels };
  const answer = v.safeParse(answerSchema, await postToHub(hub, { path: '/v1/enrol', body }, signal));
  if (!answer.success)
    throw new EngineError('internal', `the hub at ${url} answered the enrolment with something else`);
  const identity: Identity = { ...answer.output, hub, key, journalId: undefined };
  await writeIdentity(directory, identity);
  return identity;
}

async function writeIdentity(directory: string, identity: Identity): Promise<void> {
  const { host, hub, nats, key, journalId } = identity;
  const path = join(directory, 'identity.json');
  const document = { version: 1, host, hub: hub.url, hubCa: hub.ca, nats, publicKey: key.publicKey, journalId };
  {
    await using file = await open(`${path}.new`, 'w', 0o600);
    await file.writeFile(`${JSON.stringify(document)}\n`);
    await file.sync();
  }
  await rename(`${path}.new`, path);
}

async function readIdentity(path: string): Promise<v.InferOutput<typeof fileSchema> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return v.parse(fileSchema, JSON.parse(text));
  } catch (cause) {
    throw new EngineError(
      'internal',
      `${path} is damaged: restore it, or remove the directory and enrol the host anew`,
      {
        cause,
      },
    );
  }
}
