import { setTimeout as sleep } from 'node:timers/promises';
import { HEARTBEAT_JITTER, type HelloAnswer } from '@fairlead/protocol/fleet';
import { wordsOf } from '../../lib/log.ts';
import type { Identity } from '../identity/identity.ts';
import type { Reporter } from '../reporter/reporter.ts';
import { backoff, pauseMs } from './backoff.ts';
import { CommandQueue } from './command-queue.ts';
import { Epoch, type Reach } from './epoch.ts';
import { answerRequests, type RequestDeps } from './requests.ts';

/** What the link of an agent to its hub needs. */
export interface LinkDeps extends RequestDeps {
  readonly identity: Identity;
  readonly reach: Reach;
  readonly agentVersion: string;
  readonly reporter: Reporter;
}

/** Between two attempts to connect: doubled from this to at most that, while the hub has not said how large its fleet is. */
const CONNECT_AGAIN_MS_MIN = 250;
const CONNECT_AGAIN_MS_MAX = 5_000;
/** Afterwards to this part of a heartbeat: 5 s for 1,000 hosts, more where more would come at once. */
const CONNECT_AGAIN_PER_HEARTBEAT = 4;

/** Connects, and connects again for ever, until aborted. Every connection starts with hello, and goes on from the journal. */
export async function keepLinked(deps: LinkDeps, signal: AbortSignal): Promise<void> {
  const { log } = deps;
  let limits = backoff(CONNECT_AGAIN_MS_MIN, CONNECT_AGAIN_MS_MAX);
  while (!signal.aborted) {
    try {
      await using epoch = await openUnlessLeaving(deps, signal);
      const { heartbeatMs } = await serve(deps, epoch, signal);
      limits = backoff(CONNECT_AGAIN_MS_MIN, heartbeatMs / CONNECT_AGAIN_PER_HEARTBEAT);
    } catch (error) {
      if (!signal.aborted) log.warning('agent.link.failed', { why: wordsOf(error) });
    }
    await sleep(pauseMs(limits), undefined, { signal }).catch(() => {});
  }
}

/** Leaving does not wait for a connection on its way: what comes of it is closed. @throws the signal's reason when aborted. */
async function openUnlessLeaving({ identity, reach, log }: LinkDeps, signal: AbortSignal): Promise<Epoch> {
  const opening = Epoch.open(identity, reach, log);
  const left = Promise.withResolvers<never>();
  const abort = (): void => {
    left.reject(signal.reason);
    opening.then(
      (late) => late[Symbol.asyncDispose](),
      () => {},
    );
  };
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([opening, left.promise]);
  } finally {
    if (!signal.aborted) signal.removeEventListener('abort', abort);
  }
}

/** @returns what the hub said at first, when the connection has ended. */
async function serve(deps: LinkDeps, epoch: Epoch, signal: AbortSignal): Promise<HelloAnswer> {
  const { operations, reporter, link, sessions, log } = deps;
  const queue = new CommandQueue(deps, epoch);
  sessions.use(epoch);
  // Heard before the hello is answered: from that moment on the hub sends.
  const answering = answerRequests(deps, epoch, queue);
  const leave = (): void => void epoch[Symbol.asyncDispose]();
  signal.addEventListener('abort', leave, { once: true });
  try {
    const { agentVersion } = deps;
    const hello = await epoch.hello({ agentVersion, engine: reporter.engine, openOperations: operations.open });
    log.event('agent.link.up', { server: epoch.connection.getServer(), heartbeatMs: hello.heartbeatMs });
    link.use(epoch);
    for (const request of hello.reconcile) void operations.answerFor(request);
    await Promise.all([answering, queue.run(), beat(deps, epoch, hello.heartbeatMs), tellInventory(deps, epoch)]);
    log.event('agent.link.down', { why: wordsOf(epoch.ended.reason) });
    return hello;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

async function beat({ operations, reporter, sessions }: LinkDeps, epoch: Epoch, everyMs: number): Promise<void> {
  while (!epoch.ended.aborted) {
    const heartbeat = { engine: reporter.engine, runningOperations: operations.running, sessions: sessions.count };
    epoch.say(epoch.subjects.heartbeat, heartbeat);
    const spread = 1 + HEARTBEAT_JITTER * (2 * Math.random() - 1);
    await sleep(everyMs * spread, undefined, { signal: epoch.ended }).catch(() => {});
  }
}

async function tellInventory({ reporter }: LinkDeps, epoch: Epoch): Promise<void> {
  try {
    for await (const delta of reporter.inventory(epoch.ended)) epoch.say(epoch.subjects.inventory, delta);
  } catch (error) {
    if (!epoch.ended.aborted) throw error;
  }
}
