import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { runAgent } from './agent/agent.ts';
import { type Hub, startHub } from './hub/hub.ts';
import type { HubListenOptions } from './hub/hub-options.ts';
import { type FleetLog, wordsOf } from './lib/log.ts';

/** How a fleet on one machine is to run. */
export interface UpOptions {
  /** `hub/` and `agent/` are kept below. */
  readonly directory: string;
  readonly socket: string;
  readonly listen: HubListenOptions;
  /** The engine that the agent commands: it is there already. */
  readonly engine: string;
  /** This host's name in the fleet; the machine's when absent. */
  readonly name?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: FleetLog;
}

/** What is up. Disposing ends the agent, then the hub. */
export interface Up extends AsyncDisposable {
  readonly hub: Hub;
  /** Rejects when one of them cannot go on. */
  readonly failed: Promise<never>;
}

/** Between two attempts of an agent that ended. */
const AGENT_AGAIN_MS = 2_000;

/**
 * Starts a hub with its nats-server, and this machine's agent, enrolled by itself the first time. Resolves when the hub serves.
 *
 * @throws what `startHub` throws.
 */
export async function startUp(options: UpOptions, signal: AbortSignal): Promise<Up> {
  await using undo = new AsyncDisposableStack();
  const { directory, socket, listen, log } = options;
  const hub = undo.use(
    await startHub({ directory: join(directory, 'hub'), socket, listen, ownAgent: true, log }, signal),
  );
  const leaving = new AbortController();
  const agent = keepAgent(options, hub, leaving.signal);
  undo.defer(async () => {
    leaving.abort(new Error('the fleet is going down'));
    await agent;
  });
  const undone = undo.move();
  return { hub, failed: hub.failed, [Symbol.asyncDispose]: () => undone.disposeAsync() };
}

/** Runs the agent, and again when it fails: an engine may come later than the fleet. */
async function keepAgent(options: UpOptions, hub: Hub, signal: AbortSignal): Promise<void> {
  const { directory, engine, env, log } = options;
  const stateDir = join(directory, 'agent');
  while (!signal.aborted) {
    try {
      const token = (await isEnrolled(stateDir)) ? undefined : await tokenFor(hub);
      const name = options.name ?? hostname();
      await runAgent({ stateDir, hub: hub.ownAgentUrl, token, name, engine, env, log }, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warning('up.agent.ended', { why: wordsOf(error), againInMs: AGENT_AGAIN_MS });
      await pause(AGENT_AGAIN_MS, signal);
    }
  }
}

async function tokenFor(hub: Hub): Promise<string> {
  const { token } = await hub.parts.enrolment.makeToken({ expiresMs: 60_000 }, 'local');
  return token;
}

async function isEnrolled(stateDir: string): Promise<boolean> {
  try {
    await readFile(join(stateDir, 'identity.json'));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  signal.addEventListener('abort', () => over.resolve(), { once: true });
  await over.promise;
  clearTimeout(timer);
}
