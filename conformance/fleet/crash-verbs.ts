import type { Client } from '@fairlead/client';
import type { AgentEvent, FleetCommand } from '@fairlead/protocol/fleet';

/** The end of an operation as the hub was told it. */
export type End = Extract<AgentEvent, { readonly kind: 'done' }>;

/** A command in whose middle the agent dies. */
export interface CrashCommand {
  readonly name: string;
  /** Records of its own between STARTED and DONE. */
  readonly steps: number;
  /** Makes what it needs. @returns the command about the container called `name`. */
  prepare(client: Client, name: string): Promise<FleetCommand>;
  /** What is wrong with the end that was told; undefined: none was told, so nothing may have been done. */
  wrong(client: Client, name: string, end: End | undefined): Promise<readonly string[]>;
}

const SLEEP = { Image: 'busybox', Cmd: ['sleep', '1000'] };

async function made(client: Client, name: string, started: boolean): Promise<void> {
  const { Id } = await client.containers.create(SLEEP, { name });
  if (started) await client.containers.start(Id);
}

interface Shown {
  readonly exists: boolean;
  readonly running: boolean;
  readonly paused: boolean;
}

async function shown(client: Client, name: string): Promise<Shown> {
  const [found] = (await client.containers.list({ all: true })).filter(({ Names }) => Names.includes(`/${name}`));
  if (found === undefined) return { exists: false, running: false, paused: false };
  const { State } = await client.containers.inspect(found.Id);
  return { exists: true, running: State.Running, paused: State.Paused };
}

/** The end has to agree with what is: done when it succeeded, not done when it failed or was never told. */
function byState(isDone: (seen: Shown) => boolean): CrashCommand['wrong'] {
  return async (client, name, end) => {
    const seen = await shown(client, name);
    const told = end?.state ?? 'nothing';
    const should = told === 'SUCCEEDED';
    return isDone(seen) === should ? [] : [`${told} was told, and the container ${JSON.stringify(seen)}`];
  };
}

/** How often the engine was asked to do it, by its own ledger. */
async function asked(client: Client, verb: string, since: number): Promise<number> {
  const operations = await client.operations.list();
  return operations.filter(({ Verb, StartedAt }) => Verb === verb && Date.parse(StartedAt) >= since).length;
}

/** Adds to `wrong` that the engine was asked more than once. */
function atMostOnce(verb: string, command: Omit<CrashCommand, 'name'>): Omit<CrashCommand, 'name'> {
  const sinceOf = new Map<string, number>();
  return {
    ...command,
    async prepare(client, name) {
      const prepared = await command.prepare(client, name);
      sinceOf.set(name, Date.now());
      return prepared;
    },
    async wrong(client, name, end) {
      const times = await asked(client, verb, sinceOf.get(name) ?? 0);
      const wrong = await command.wrong(client, name, end);
      return times <= 1 ? wrong : [...wrong, `the engine was asked ${times} times`];
    },
  };
}

const EXEC = ['sh', '-c', 'echo once >> /count; sleep 0.2; echo said; exit 5'];

/** Every verb that changes something. */
export const CRASH_COMMANDS: readonly CrashCommand[] = [
  {
    name: 'create',
    ...atMostOnce('create', {
      steps: 2,
      prepare: async (_client, name) => ({ verb: 'create', name, body: SLEEP, start: true }),
      wrong: byState(({ running }) => running),
    }),
  },
  {
    name: 'start',
    ...atMostOnce('start', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, false);
        return { verb: 'start', container: name };
      },
      wrong: byState(({ running }) => running),
    }),
  },
  {
    name: 'stop',
    ...atMostOnce('stop', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, true);
        return { verb: 'stop', container: name, graceMs: 300 };
      },
      wrong: byState(({ running }) => !running),
    }),
  },
  {
    name: 'restart',
    ...atMostOnce('restart', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, true);
        return { verb: 'restart', container: name, graceMs: 0 };
      },
      async wrong(client, name, end) {
        const { running } = await shown(client, name);
        const failed = end?.outcome.failure?.message ?? '';
        return running || /not started again/.test(failed)
          ? []
          : [`${end?.state ?? 'nothing'} was told, and it stands`];
      },
    }),
  },
  {
    name: 'kill',
    ...atMostOnce('kill', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, true);
        return { verb: 'kill', container: name };
      },
      wrong: byState(({ running }) => !running),
    }),
  },
  {
    name: 'remove',
    ...atMostOnce('remove', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, true);
        return { verb: 'remove', container: name, force: true };
      },
      wrong: byState(({ exists }) => !exists),
    }),
  },
  {
    name: 'pause',
    ...atMostOnce('pause', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, true);
        return { verb: 'pause', container: name };
      },
      wrong: byState(({ paused }) => paused),
    }),
  },
  {
    name: 'unpause',
    ...atMostOnce('unpause', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, true);
        await client.containers.pause(name);
        return { verb: 'unpause', container: name };
      },
      wrong: byState(({ paused }) => !paused),
    }),
  },
  {
    name: 'rename',
    ...atMostOnce('rename', {
      steps: 0,
      async prepare(client, name) {
        await made(client, name, false);
        return { verb: 'rename', container: name, name: `${name}-new` };
      },
      wrong: byState(({ exists }) => !exists),
    }),
  },
  {
    name: 'exec',
    ...atMostOnce('exec-start', {
      steps: 1,
      async prepare(client, name) {
        await made(client, name, true);
        return { verb: 'exec', container: name, argv: EXEC };
      },
      async wrong(client, name, end) {
        const { stdout } = await client.containers.exec(name, ['sh', '-c', 'cat /count 2>/dev/null; true']);
        const times = String(stdout).split('once').length - 1;
        const told = end?.state ?? 'nothing';
        if (times > 1) return [`it ran ${times} times`];
        if (told === 'SUCCEEDED')
          return times === 1 && end?.outcome.exitCode === 5 ? [] : [`ran ${times} times: ${told}`];
        return told === 'UNKNOWN' || times === 0 ? [] : [`ran ${times} times: ${told}`];
      },
    }),
  },
];
