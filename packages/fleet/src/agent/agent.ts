import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@fairlead/client';
import { crashingPoints, type CrashPoints } from '../lib/crash-point.ts';
import { hostClock } from '../lib/host-clock.ts';
import type { FleetLog } from '../lib/log.ts';
import { EngineGateway } from './gateway/engine-gateway.ts';
import { judgeRequest } from './gateway/judge-request.ts';
import { engineHost } from './engine/engine-host.ts';
import { EngineSide } from './engine/engine-side.ts';
import { identify, type Identity, keepJournalId } from './identity/identity.ts';
import { onlyAgentOf } from './identity/only-agent.ts';
import { Journal } from './journal/journal.ts';
import { dialThroughHub, dialTrunk } from './link/dial-hub.ts';
import type { Reach } from './link/epoch.ts';
import { HubLink } from './link/hub-link.ts';
import { keepLinked } from './link/keep-linked.ts';
import { Outbox } from './link/outbox.ts';
import { Operations } from './operations/operations.ts';
import { readPolicy } from './policy/policy-file.ts';
import { Reporter } from './reporter/reporter.ts';
import { Recordings } from './sessions/recordings.ts';
import { AgentSessions } from './sessions/agent-sessions.ts';
import { AgentTrunks } from './sessions/agent-trunks.ts';

export interface AgentOptions {
  /** Key, identity and journal; made if it is not there. */
  readonly stateDir: string;
  /** Needed the first time; later the one it was enrolled with when absent. */
  readonly hub?: string | undefined;
  /** File of certificates (PEM) to trust at the hub; kept with the identity. */
  readonly hubCa?: string | undefined;
  /** Used once, the first time. */
  readonly token?: string | undefined;
  readonly name?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** `unix:///PATH`, `tcp://HOST:PORT`, …; absent: `DOCKER_HOST`, else what is there. */
  readonly engine?: string | undefined;
  /** A policy file; absent: everything is allowed. */
  readonly policy?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly log: FleetLog;
}

/** What an engine that is well takes for its version, many times over. */
const FIRST_LOOK_MS = 1_000;

/** How the agent names itself. */
export const AGENT_VERSION = '0.1.0';

/**
 * Runs the agent of this host until `signal` aborts. Then it finishes what it writes and leaves; operations that run are left to
 * the engine, and to the next start, which finds out how they ended.
 *
 * @throws EngineError before it runs: no identity and no token, a policy that cannot be read, another agent with the same
 * directory.
 */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { stateDir, log, env = process.env } = options;
  await using stack = new AsyncDisposableStack();
  const policy = await readPolicy(options.policy);
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  stack.use(await onlyAgentOf(stateDir));
  const hubCa = options.hubCa === undefined ? undefined : await readFile(options.hubCa, 'utf8');
  const enrolment = { hub: options.hub, hubCa, token: options.token, name: options.name, labels: options.labels ?? {} };
  const identity = await identify({ directory: stateDir, ...enrolment }, signal);
  const journal = stack.use(await openJournal(stateDir, identity, { log, points: crashingPoints(env) }));
  const client = stack.use(
    await connect({
      host: options.engine ?? (await engineHost(env, signal)),
      userAgent: `fairlead-agent/${AGENT_VERSION}`,
      env,
    }),
  );
  const engine = new EngineSide(client);
  const link = new HubLink(log);
  const outbox = new Outbox({ journal, link, log, leaving: signal });
  const told: Outbox['told'] = (operationId, unwritten) => outbox.told(operationId, unwritten);
  const shared = { engine, journal, log, policy, clock: hostClock(), leaving: signal };
  const operations = new Operations({ ...shared, hub: link, told });
  const reporter = new Reporter({ engine, log });
  log.event('agent.started', { host: identity.host, engine: client.address, journal: journal.entries().length });
  // The hello tells who the engine is, when that is known at once; a silent engine does not keep the agent from its hub.
  await Promise.race([reporter.askEngine(signal), sleep(FIRST_LOOK_MS, undefined, { ref: false })]);
  operations.resume();
  const gateway = stack.use(
    new EngineGateway({
      dial: (dialling) => client.dial(dialling),
      deny: (access, actor, body) => judgeRequest({ policy, engine, leaving: signal }, { access, actor, body }),
      log,
    }),
  );
  const recordings = await Recordings.open(join(stateDir, 'recordings'));
  const sessions = stack.use(
    new AgentSessions({
      engine,
      policy,
      serve: (connection, actor) => gateway.serve(connection, actor),
      recordings,
      trunks: stack.use(new AgentTrunks({ dial: (dialling) => dialTrunk(identity, dialling), log })),
      log,
    }),
  );
  const self = { identity, reach: reachOf(identity, signal), agentVersion: AGENT_VERSION };
  const linked = keepLinked({ ...self, operations, sessions, recordings, policy, log, link, reporter }, signal);
  await Promise.all([linked, reporter.run(signal)]);
  await Promise.all([operations.left(), outbox.left()]);
  log.event('agent.left', { open: operations.open.length });
}

function reachOf(identity: Identity, signal: AbortSignal): Reach {
  if ('urls' in identity.nats) return { servers: identity.nats.urls };
  return { name: new URL(identity.hub.url).host, dial: () => dialThroughHub(identity, signal) };
}

async function openJournal(
  directory: string,
  identity: Identity,
  { log, points }: { readonly log: FleetLog; readonly points: CrashPoints },
): Promise<Journal> {
  const journal = await Journal.open({ directory, expectedId: identity.journalId, log, points });
  await keepJournalId(directory, identity, journal.id);
  return journal;
}
