import { randomUUID } from 'node:crypto';
import type { FleetClient } from '@fairlead/client/fleet';
import type { FleetCommand, FleetHost, FleetOperation } from '@fairlead/protocol/fleet';
import { atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, EXIT_USAGE, ExitError, failureText } from '../../exit-codes.ts';
import { parseDurationMs } from '../../flags/duration.ts';
import { integer, parsed, text, toggle } from '../../flags/flag-types.ts';
import { hubFlags } from './hub-connection.ts';
import { endWords } from './operation-words.ts';
import { parseFleetCommand } from './parse-fleet-command.ts';

/** `fairlead fleet run` */
export const fleetRunCommand: Command = {
  name: 'fleet run',
  usage: '--on SELECTOR [OPTIONS] -- VERB [ARG...]',
  summary:
    'Have many hosts do the same, in batches, and stop when too many fail; with the same key it goes on where it was',
  args: atLeast(1),
  stopAtFirstArgument: true,
  define(flags) {
    const open = hubFlags(flags);
    const on = flags.add('on', 'Which hosts: a selector (role=web,zone!=a), or "all"', text());
    const batch = flags.add('batch', 'So many hosts at once (default 10)', integer());
    const maxFail = flags.add(
      'max-fail',
      'Begin no further batch when more than this many have failed (default 0)',
      integer(),
    );
    const queue = flags.add('queue', 'Leave the command in the queues of hosts that are offline', toggle());
    const startBy = flags.add(
      'start-by',
      'Of a queued command: not started later than this (default 1h)',
      parsed('duration', parseDurationMs),
    );
    const key = flags.add('key', 'Name of this run: hosts that were asked under it are not asked again', text());
    return async (context, words) => {
      const command = parseFleetCommand(words);
      if (on.value === '') throw new ExitError(EXIT_USAGE, '--on: which hosts? A selector, or "all"');
      await using fleet = await open(context);
      const hosts = await fleet.hosts(on.value === 'all' ? undefined : on.value);
      if (hosts.length === 0) throw new ExitError(EXIT_FAILURE, `no host fits ${on.value}`);
      const run = {
        command,
        key: key.value || randomUUID(),
        queue: queue.value,
        startByMs: startBy.value,
        batch: Math.max(1, batch.value ?? BATCH_DEFAULT),
        maxFail: maxFail.value ?? 0,
      };
      return await runOn({ context, fleet }, hosts, run);
    };
  },
};

const BATCH_DEFAULT = 10;

interface Run {
  readonly command: FleetCommand;
  readonly key: string;
  readonly queue: boolean;
  readonly startByMs: number | undefined;
  readonly batch: number;
  readonly maxFail: number;
}

interface RunDeps {
  readonly context: CliContext;
  readonly fleet: FleetClient;
}

async function runOn(deps: RunDeps, hosts: readonly FleetHost[], run: Run): Promise<number> {
  const width = Math.max(...hosts.map(({ name }) => name.length));
  let failed = 0;
  let asked = 0;
  while (asked < hosts.length && failed <= run.maxFail) {
    const batch = hosts.slice(asked, asked + run.batch);
    asked += batch.length;
    const good = await Promise.all(batch.map((host) => runOne(deps, host, { ...run, width })));
    failed += good.filter((ok) => !ok).length;
  }
  const notAsked = hosts.length - asked;
  if (failed > 0 || notAsked > 0) {
    const rest = notAsked === 0 ? '' : `; ${notAsked} not asked: go on with --key ${run.key}`;
    await deps.context.err(`${failed} of ${asked} failed${rest}`);
  }
  return failed > 0 || notAsked > 0 ? EXIT_FAILURE : 0;
}

/** Asks one host, and prints its line when it is done. True when it succeeded, or waits in a queue. */
async function runOne(deps: RunDeps, host: FleetHost, run: Run & { readonly width: number }): Promise<boolean> {
  const say = (line: string): Promise<void> => deps.context.out(`${host.name.padEnd(run.width)}  ${line}\n`);
  try {
    const operation = await deps.fleet.submit({
      host: host.id,
      command: run.command,
      key: `${run.key}/${host.id}`,
      ...(run.queue ? { mode: 'queue', patienceMs: 0, startByMs: run.startByMs } : {}),
    });
    const ended = run.queue ? operation.latest : await operation.wait();
    await say(resultLine(ended));
    return ended.outcome === null || ended.state === 'SUCCEEDED';
  } catch (error) {
    await say(`NOT ASKED  ${failureText(error)}`);
    return false;
  }
}

function resultLine({ state, outcome, id }: FleetOperation): string {
  const output = outcome?.stdout === undefined ? '' : `\n${outcome.stdout.trimEnd()}`;
  return `${state}  ${outcome === null ? id : endWords(outcome)}${output}`.trimEnd();
}
