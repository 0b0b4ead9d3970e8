import { type Client, connect, EngineUnreachableError, FAIRLEAD_SOCKET } from '@fairlead/client';
import { ExitError } from './exit-codes.ts';
import { VERSION } from './version.ts';

/** Where the engine keeps everything when nobody says otherwise. */
export const DEFAULT_ROOT = '/var/lib/fairlead';

export interface EngineChoice {
  readonly hosts: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Writes one line for the person. */
  readonly tell: (line: string) => Promise<void>;
}

/**
 * The engine a command talks to: `--host`, `FAIRLEAD_HOST`, `DOCKER_HOST`, else the one on this machine, which is started
 * when there is none, in the background. `FAIRLEAD_ROOT` names its root, and then its socket is in there as well: so
 * an engine of one's own is one variable away.
 *
 * @throws EngineUnreachableError when one was asked for and cannot be reached, ExitError when none can be started.
 */
export async function connectToEngine(choice: EngineChoice): Promise<Client> {
  const { hosts, env } = choice;
  if (hosts.length > 1) throw new ExitError(1, 'Specify only one -H');
  const asked = hosts[0] ?? named(env['FAIRLEAD_HOST']) ?? named(env['DOCKER_HOST']);
  const root = named(env['FAIRLEAD_ROOT']);
  const socket = root === undefined ? FAIRLEAD_SOCKET : `${root}/fairlead.sock`;
  const client = await connect({ host: asked ?? `unix://${socket}`, env, userAgent: `fairlead/${VERSION}` });
  if (asked !== undefined) return client;
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

function named(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

/** An engine that is there but may not be used is not replaced by another one. */
function mayStart(error: EngineUnreachableError): boolean {
  return error.errno === 'ENOENT' || error.errno === 'ECONNREFUSED' || error.errno === 'ENOTDIR';
}
