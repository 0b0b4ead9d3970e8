import {
  type Client,
  connect,
  contextName,
  DEFAULT_CONTEXT,
  type EndpointChoice,
  EngineUnreachableError,
  type Environment,
  FAIRLEAD_SOCKET,
} from '@fairlead/client';
import { isEngineError } from '@fairlead/protocol';
import { ExitError } from './exit-codes.ts';
import { VERSION } from './version.ts';

/** Where the engine keeps everything when nobody says otherwise. */
export const DEFAULT_ROOT = '/var/lib/fairlead';

export interface EngineChoice {
  readonly hosts: readonly string[];
  /** A context of Docker's CLI. */
  readonly context: string | undefined;
  readonly env: Environment;
  /** Writes one line for the person. */
  readonly tell: (line: string) => Promise<void>;
}

/**
 * The engine a command talks to: `--host` or `--context`, `FAIRLEAD_HOST`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the context that Docker's CLI
 * is set to, else the one on this machine, which is started when there is none, in the background. `FAIRLEAD_ROOT` names its root, and
 * then its socket is in there as well: so an engine of one's own is one variable away, whatever Docker's CLI is set to.
 *
 * @throws EngineUnreachableError when one was asked for and cannot be reached, ExitError when none can be started or found.
 */
export async function connectToEngine(choice: EngineChoice): Promise<Client> {
  const asked = await askedFor(choice).catch(initializationFailed);
  if (asked !== undefined) return await connectTo(asked, choice.env);
  const root = named(choice.env['FAIRLEAD_ROOT']);
  const socket = root === undefined ? FAIRLEAD_SOCKET : `${root}/fairlead.sock`;
  const client = await connectTo({ host: `unix://${socket}` }, choice.env);
  try {
    await client.traits();
    return client;
  } catch (error) {
    if (!(error instanceof EngineUnreachableError) || !mayStart(error)) throw error;
  }
  // Loaded only now: nearly every command finds an engine.
  const { startEngine } = await import('./engine-start.ts');
  await startEngine({ root: root ?? DEFAULT_ROOT, socket }, choice.tell);
  return client;
}

/**
 * The engine that a client of Docker would talk to in this environment, without starting any: what is asked for, else Fairlead's on this
 * machine if it is there, else Docker's.
 *
 * @throws as `connectToEngine`, but only at the first call when it cannot be reached.
 */
export async function connectToExisting(choice: Omit<EngineChoice, 'tell'>): Promise<Client> {
  const asked = await askedFor(choice).catch(initializationFailed);
  const root = named(choice.env['FAIRLEAD_ROOT']);
  return await connectTo(asked ?? (root === undefined ? {} : { host: `unix://${root}/fairlead.sock` }), choice.env);
}

/** @returns undefined when nobody asked for any, so it is the one on this machine. */
async function askedFor({ hosts, context, env }: Omit<EngineChoice, 'tell'>): Promise<EndpointChoice | undefined> {
  if (hosts.length > 1) throw new ExitError(1, 'Specify only one -H');
  if (hosts.length > 0 && context !== undefined) {
    throw new ExitError(1, 'conflicting options: cannot specify both --host and --context');
  }
  const host = hosts[0] ?? (context === undefined ? named(env['FAIRLEAD_HOST']) : undefined);
  if (host !== undefined) return { host };
  const isSaid = [context, ...ASKING.map((name) => env[name])].some((value) => named(value) !== undefined);
  if (!isSaid && named(env['FAIRLEAD_ROOT']) !== undefined) return undefined;
  const name = await contextName({ context }, env);
  const isHere = name === DEFAULT_CONTEXT && ASKING_DEFAULT.every((variable) => named(env[variable]) === undefined);
  return isHere ? undefined : { context: name };
}

/** With one of these somebody asks for a certain engine; the context that Docker's CLI is set to is only a default. */
const ASKING_DEFAULT = ['DOCKER_HOST', 'DOCKER_TLS', 'DOCKER_TLS_VERIFY'];
const ASKING = [...ASKING_DEFAULT, 'DOCKER_CONTEXT'];

async function connectTo(asked: EndpointChoice, env: Environment): Promise<Client> {
  return await connect({ ...asked, env, userAgent: `fairlead/${VERSION}` }).catch(initializationFailed);
}

/** In Docker's words. Source: docker/cli cmd/docker. */
function initializationFailed(error: unknown): never {
  if (!isEngineError(error)) throw error;
  throw new ExitError(1, `Failed to initialize: ${error.message}`, { cause: error });
}

function named(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** An engine that is there but may not be used is not replaced by another one. */
function mayStart(error: EngineUnreachableError): boolean {
  return error.errno === 'ENOENT' || error.errno === 'ECONNREFUSED' || error.errno === 'ENOTDIR';
}
