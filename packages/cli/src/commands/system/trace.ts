import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { parseAddress } from '@fairlead/client';
import { parseMemory } from '@fairlead/protocol';
import { atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { connectToExisting } from '../../engine-autostart.ts';
import { parseDurationMs } from '../../flags/duration.ts';
import { FlagError } from '../../flags/flag-error.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { list, parsed, text, toggle } from '../../flags/flag-types.ts';
import { LineWriter } from '../../trace/line-writer.ts';
import type { ListenAddress } from '../../trace/proxy.ts';
import { decodeEvent } from '../../trace/recording-file.ts';
import type { ReportFormat } from '../../trace/report.ts';
import type { TraceEvent } from '../../trace/trace-event.ts';
import { replay, traceListening, traceProgram, type TraceOptions } from '../../trace/trace-session.ts';

/** `--bodies` without a value of its own. */
const BODY_LIMIT_DEFAULT = '2k';
/** The longest excerpt of a body: everything is kept in memory. */
const BODY_LIMIT_BYTES_MAX: number = 16 * 1024 * 1024;
/** Only its owner may read what was said. */
const FILE_MODE = 0o600;

/** `fairlead trace` */
export const traceCommand: Command = {
  name: 'trace',
  usage: '[OPTIONS] -- COMMAND [ARG...]',
  summary: 'Run a Docker client, and show what it and the engine said to each other, and what went wrong',
  args: atLeast(0),
  stopAtFirstArgument: true,
  define(flags) {
    const asked = flagsOf(flags);
    return async (context, words) => {
      if (asked.read.given) return await readAgain(context, asked, words);
      await using undo = new AsyncDisposableStack();
      const options = await optionsOf(context, asked, undo);
      if (asked.listen.given) return await listen(asked.listen.value, words, options);
      if (words.length === 0) throw new FlagError('which command? fairlead trace [OPTIONS] -- COMMAND [ARG...]');
      return (await traceProgram(words, context.env, options)).exitCode;
    };
  },
};

type Asked = ReturnType<typeof flagsOf>;

// eslint-disable-next-line typescript/explicit-function-return-type -- the flags say their types themselves
function flagsOf(flags: FlagSet) {
  return {
    hosts: flags.add('host,H', 'Engine to talk to: unix:///PATH or tcp://HOST:PORT', list()),
    listen: flags.add(
      'listen',
      'Stay up for programs that connect by themselves: SOCKET or tcp://127.0.0.1:PORT',
      text(),
    ),
    read: flags.add('read', 'Print a recording again', text('', 'file')),
    save: flags.add('save', 'Keep the recording, for --read', text('', 'file')),
    output: flags.add('output,o', 'Where the report goes (default: standard error)', text('', 'file')),
    json: flags.add('json', 'Report as one JSON document; with --listen as lines of JSON', toggle()),
    har: flags.add('har', 'Report as HTTP Archive (HAR 1.2)', toggle()),
    bodies: flags.add(
      'bodies',
      `Show bodies up to a size: --bodies or --bodies=64k (default of the bare flag: ${BODY_LIMIT_DEFAULT})`,
      bodyLimit,
    ),
    secrets: flags.add('secrets', 'Do not hide credentials and the values of environment variables', toggle()),
    look: flags.add(
      'look',
      "Longest wait for what becomes of a container whose client has left (default: the engine's own bound)",
      parsed('duration', parseDurationMs),
    ),
  };
}

const bodyLimit = {
  word: '',
  initial: 0,
  bare: BODY_LIMIT_DEFAULT,
  parse(typed: string): number {
    const bytes = parseMemory(typed);
    if (bytes > BODY_LIMIT_BYTES_MAX) throw new Error('at most 16m are shown of a body');
    return bytes;
  },
};

async function optionsOf(context: CliContext, asked: Asked, undo: AsyncDisposableStack): Promise<TraceOptions> {
  const hosts = [...context.hosts, ...asked.hosts.value];
  const engine = undo.use(await connectToExisting({ ...context, hosts }));
  const { stdout, stderr } = context.terminal;
  const standard = asked.listen.given ? stdout : stderr;
  const report = asked.output.value === '' ? standard : await fileFor(asked.output.value, undo);
  const save = asked.save.value === '' ? undefined : new LineWriter(await fileFor(asked.save.value, undo));
  const notes = new LineWriter(stderr);
  return {
    engine,
    wishes: { limitBytes: asked.bodies.value, secrets: asked.secrets.value },
    format: formatOf(asked),
    output: new LineWriter(report),
    live: asked.listen.given && !asked.har.value,
    save,
    lookMs: asked.look.value ?? Infinity,
    tell: (line) => notes.write(`${line}\n`),
  };
}

function formatOf({ json, har }: Asked): ReportFormat {
  if (json.value && har.value) throw new FlagError('--json or --har, not both');
  return json.value ? 'json' : har.value ? 'har' : 'text';
}

async function fileFor(path: string, undo: AsyncDisposableStack): Promise<Writable> {
  const file = undo.use(await open(path, 'w', FILE_MODE));
  return file.createWriteStream({ autoClose: false });
}

/** Ends with SIGINT or SIGTERM. */
async function listen(where: string, words: readonly string[], options: TraceOptions): Promise<number> {
  if (words.length > 0) throw new FlagError('--listen waits for programs that run already: there is no command to it');
  const address = listenAddress(where);
  const over = new AbortController();
  const end = (): void => over.abort();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
  await traceListening(address, options, over.signal);
  return 0;
}

/** Whoever may connect may do whatever the engine lets do, so only this machine may. */
function listenAddress(where: string): ListenAddress {
  const address = parseAddress(where.startsWith('/') || where.includes(':') ? where : `${process.cwd()}/${where}`);
  if (address.scheme === 'unix') return address;
  const { hostname, port } = address;
  const isHere = address.scheme === 'tcp' && !address.secure && /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(hostname);
  if (!isHere)
    throw new FlagError(`--listen ${where}: only addresses of this machine itself, because there is no password`);
  if (port === undefined) throw new FlagError(`--listen ${where}: which port?`);
  return { scheme: 'tcp', hostname, port };
}

async function readAgain(context: CliContext, asked: Asked, words: readonly string[]): Promise<number> {
  if (words.length > 0) throw new FlagError('--read prints a recording: there is no command to it');
  const events: TraceEvent[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(asked.read.value) })) {
    number += 1;
    const event = decodeEvent(line, number);
    if (event !== undefined) events.push(event);
  }
  const printed = replay(events, formatOf(asked));
  if (asked.output.value === '') {
    await context.out(printed);
    return 0;
  }
  await using undo = new AsyncDisposableStack();
  const output = new LineWriter(await fileFor(asked.output.value, undo));
  output.write(printed);
  await output.done();
  return 0;
}
