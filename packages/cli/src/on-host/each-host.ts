import { PassThrough, Writable } from 'node:stream';
import { FleetClient } from '@fairlead/client/fleet';
import type { CliContext } from '../context.ts';
import { EXIT_FAILURE, ExitError } from '../exit-codes.ts';
import { hostContext } from './host-context.ts';
import { hubOf } from './hub-of.ts';

/** True for what names hosts by their labels (`role=web,zone!=a`), or all of them. */
export function isSelector(on: string): boolean {
  return on === 'all' || on.includes('=');
}

/**
 * Runs a command line on every host that a selector names, at the same time. Each line of output has its host in front; nothing
 * is typed into any of them.
 *
 * @returns the highest of their exit codes.
 */
export async function onEachHost(
  context: CliContext,
  selector: string,
  run: (context: CliContext) => Promise<number>,
): Promise<number> {
  await using fleet = await FleetClient.open(await hubOf(context.env));
  const hosts = await fleet.hosts(selector === 'all' ? undefined : selector);
  if (hosts.length === 0) throw new ExitError(EXIT_FAILURE, `no host fits ${selector}`);
  const width = Math.max(...hosts.map(({ name }) => name.length));
  const codes = await Promise.all(
    hosts.map(async ({ name }) => {
      const lines = new PrefixedContext(context, `${name.padEnd(width)}  `);
      const code = await run(hostContext(lines.context, name));
      await lines.end();
      return code;
    }),
  );
  return Math.max(...codes);
}

/** A context whose output has something in front of every line. */
class PrefixedContext {
  readonly context: CliContext;
  readonly #out: PrefixedLines;
  readonly #err: PrefixedLines;

  constructor(context: CliContext, prefix: string) {
    this.#out = new PrefixedLines(prefix, (text) => context.out(text));
    this.#err = new PrefixedLines(prefix, (text) => context.err(text.replace(/\n$/, '')));
    const nothing = new PassThrough().end();
    const stdout = writableTo(this.#out);
    const stderr = writableTo(this.#err);
    this.context = {
      ...context,
      terminal: { stdin: nothing, stdout, stderr },
      out: (text) => this.#out.write(text),
      err: (line) => this.#err.write(`${line}\n`),
    };
  }

  async end(): Promise<void> {
    await this.#out.end();
    await this.#err.end();
  }
}

class PrefixedLines {
  readonly #prefix: string;
  readonly #write: (text: string) => Promise<void>;
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(prefix: string, write: (text: string) => Promise<void>) {
    this.#prefix = prefix;
    this.#write = write;
  }

  async write(text: string | Uint8Array): Promise<void> {
    const lines = (this.#rest + (typeof text === 'string' ? text : this.#decoder.decode(text, { stream: true }))).split(
      '\n',
    );
    this.#rest = lines.pop() ?? '';
    if (lines.length > 0) await this.#write(lines.map((line) => `${this.#prefix}${line}\n`).join(''));
  }

  async end(): Promise<void> {
    if (this.#rest !== '') await this.write('\n');
  }
}

function writableTo(lines: PrefixedLines): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _, done) => {
      lines.write(chunk).then(() => done(), done);
    },
  });
}
