import { type Client, RequestFailedError, summarizeStats } from '@fairlead/client';
import { type ContainerStats, humanMemory, humanSize, shortId } from '@fairlead/protocol';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, failureText } from '../../exit-codes.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const COLUMNS = [
  ['ID', 'CONTAINER ID'],
  ['Name', 'NAME'],
  ['CPUPerc', 'CPU %'],
  ['MemUsage', 'MEM USAGE / LIMIT'],
  ['MemPerc', 'MEM %'],
  ['NetIO', 'NET I/O'],
  ['BlockIO', 'BLOCK I/O'],
  ['PIDs', 'PIDS'],
] as const;
const HEADINGS = { Container: 'CONTAINER' };

/** Between two pictures. Engines measure once a second. */
const REFRESH_MS = 500;

/** `fairlead stats` */
export const statsCommand: Command = {
  name: 'stats',
  usage: '[OPTIONS] [CONTAINER...]',
  summary: 'Display a live stream of container(s) resource usage statistics',
  args: { min: 0, max: Infinity },
  define(flags) {
    const all = flags.add('all,a', 'Show all containers (default shows just running)', toggle());
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    const noStream = flags.add('no-stream', 'Disable streaming stats and only pull the first result', toggle());
    const noTrunc = flags.add('no-trunc', 'Do not truncate output', toggle());
    return async (context, refs) => {
      const client = await context.client();
      const list = async (): Promise<readonly string[]> =>
        refs.length > 0 ? refs : (await client.containers.list({ all: all.value })).map(({ Id }) => Id);
      const shown = { format: format.value, noTrunc: noTrunc.value };
      if (noStream.value) return await once(context, client, { refs: await list(), shown });
      await using watch = new Watch(client);
      return await follow(context, watch, { list, shown });
    };
  },
};

interface Shown {
  readonly format: string;
  readonly noTrunc: boolean;
}

async function once(
  context: CliContext,
  client: Client,
  { refs, shown }: { readonly refs: readonly string[]; readonly shown: Shown },
): Promise<number> {
  const found = await Promise.allSettled(refs.map(async (ref) => await client.containers.statsOnce(ref)));
  const failed = found.filter((result) => result.status === 'rejected');
  // As in Docker: figures of all, or why there are none.
  for (const { reason } of failed) await context.err(failureText(reason));
  if (failed.length > 0) return EXIT_FAILURE;
  const stats = found.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  await context.out(picture(stats, shown));
  return 0;
}

/** Until the program is ended, or nothing is left of the containers that were named. */
async function follow(
  context: CliContext,
  watch: Watch,
  { list, shown }: { readonly list: () => Promise<readonly string[]>; readonly shown: Shown },
): Promise<number> {
  const moves = context.terminal.stdout.isTTY === true;
  for (;;) {
    watch.follow(await list());
    await sleep(REFRESH_MS);
    watch.throwFailure();
    const lines = picture(watch.latest, shown);
    // Home, each line cleared behind its end, and everything below. Source: docker/cli container/stats.go.
    await context.out(moves ? `\u001b[H${lines.replaceAll('\n', '\u001b[K\n')}\u001b[J` : lines);
    if (watch.isOver) return 0;
  }
}

/** The latest figures of several containers, each followed by itself. */
class Watch implements AsyncDisposable {
  readonly #client: Client;
  readonly #leaving = new AbortController();
  readonly #following = new Map<string, Promise<void>>();
  readonly #latest = new Map<string, ContainerStats>();
  #failure: Error | undefined;
  #ended = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  get latest(): readonly ContainerStats[] {
    return [...this.#latest.values()];
  }

  /** @throws what ended the reading of one that is not gone. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Everything that was followed is gone. */
  get isOver(): boolean {
    return this.#following.size > 0 && this.#latest.size === 0 && this.#ended === this.#following.size;
  }

  follow(refs: readonly string[]): void {
    for (const ref of refs) {
      if (!this.#following.has(ref)) this.#following.set(ref, this.#read(ref));
    }
    // One that does not run any more keeps its stream in Docker, and says zeros.
    const wanted = new Set(refs);
    for (const ref of this.#latest.keys()) if (!wanted.has(ref)) this.#latest.delete(ref);
  }

  async #read(ref: string): Promise<void> {
    try {
      for await (const stats of this.#client.containers.stats(ref, { signal: this.#leaving.signal })) {
        this.#latest.set(ref, stats);
      }
    } catch (error) {
      const gone = error instanceof RequestFailedError && error.kind === 'not-found' && this.#latest.size > 0;
      if (this.#leaving.signal.aborted || gone) return;
      this.#failure ??= error instanceof Error ? error : new Error(String(error), { cause: error });
    } finally {
      this.#latest.delete(ref);
      this.#ended += 1;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await Promise.all(this.#following.values());
  }
}

function picture(stats: readonly ContainerStats[], { format, noTrunc }: Shown): string {
  const rows = stats.map((one) => rowOf(one, noTrunc));
  return formatRows(rows, { format, columns: COLUMNS, headings: HEADINGS });
}

function rowOf(stats: ContainerStats, noTrunc: boolean): Row {
  const figures = summarizeStats(stats);
  return {
    ID: noTrunc ? stats.id : shortId(stats.id),
    Container: noTrunc ? stats.id : shortId(stats.id),
    Name: stats.name.replace(/^\//, ''),
    CPUPerc: `${figures.cpuPercent.toFixed(2)}%`,
    MemUsage: `${humanMemory(figures.memoryUsedBytes)} / ${humanMemory(figures.memoryLimitBytes)}`,
    MemPerc: `${figures.memoryPercent.toFixed(2)}%`,
    NetIO: `${humanSize(figures.networkReceivedBytes)} / ${humanSize(figures.networkSentBytes)}`,
    BlockIO: `${humanSize(figures.blockReadBytes)} / ${humanSize(figures.blockWrittenBytes)}`,
    PIDs: String(figures.processes),
  };
}
