import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../eventually.ts';
import { RunningCommand } from '../running-command.ts';
import { HostNetwork } from './host-network.ts';

const HOME = join(import.meta.dirname, '../..');
/** What a person has patience for; a loaded machine takes its time. */
const WITHIN_MS = 60_000;
const README: string = readFileSync(join(HOME, 'README.md'), 'utf8');
const README_ADDRESS = '10.0.0.1';
const NAMES = ['one', 'two', 'three'] as const;

/** The commands of the README, as they are written there, on three machines that see one another over a network alone. */
describe('the README’s way from one machine to three', { skip: process.getuid?.() !== 0 }, () => {
  const stack = new AsyncDisposableStack();
  const machines = new Map<string, Machine>();
  let network: HostNetwork;
  const [first = '', others = '', image = '', walk = ''] = blocksOf(/## From one machine to three\n[^]*?\n## /);
  const at = (name: string): Machine => machines.get(name) ?? assert.fail(`no machine ${name}`);

  before(() => {
    network = stack.use(HostNetwork.open(NAMES));
    for (const name of NAMES) machines.set(name, stack.use(new Machine(network.within(name))));
  });
  after(async () => {
    await stack.disposeAsync();
    assert.deepEqual(network.left(), []);
  });

  it('has a fleet at its end that answers as it says', async () => {
    const [path = ''] = /export PATH=[^`]+/.exec(README) ?? [];
    for (const name of NAMES) await at(name).run(path);
    const address = network.addressOf('one');
    const one = at('one');
    const told = await one.all(first.replaceAll(README_ADDRESS, address));
    const tokens = [told, await one.all(last(linesOf(first)))].map((text) => /fle_[\w-]+/.exec(text)?.[0] ?? '');
    for (const [index, name] of ['two', 'three'].entries()) {
      copyFileSync(join(one.directory, 'hub.pem'), join(at(name).directory, 'hub.pem'));
      const own = others.replaceAll(README_ADDRESS, address).replace(/fle_\S+/, tokens[index] ?? '');
      await at(name).all(`${own.trimEnd().replace('--name two', `--name ${name}`)} &`);
    }
    const shown = [...walk.matchAll(/^\$ (.*)\n((?:[^$].*\n)*)/gm)];
    const [[, hosts = '', listed = ''] = [], [, run = '', made = ''] = []] = shown;
    await eventually(async () => shapeOf(await one.run(hosts)), shapeOf(listed)).catch((cause: unknown) => {
      throw new Error(NAMES.map((name) => at(name).complaints).join('\n'), { cause });
    });
    await one.all(image);
    await using _ = { [Symbol.asyncDispose]: async () => void (await one.run('fairlead --on role=web rm -f web')) };
    // Whoever is ready first is told first.
    assert.deepEqual(
      shapeOf(await one.run(run))
        .split('\n')
        .toSorted(),
      shapeOf(made).split('\n'),
    );
  });
});

/** The code of a part of it, block by block. */
function blocksOf(part: RegExp): readonly string[] {
  const [text = ''] = part.exec(README) ?? [];
  return [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block = '']) => block);
}

/** One command each, without what is said about it. */
function linesOf(block: string): readonly string[] {
  const lines = block.replaceAll('\\\n', ' ').split('\n');
  return lines.map((line) => line.replace(/\s+#.*$/, '').trim()).filter((line) => line !== '');
}

function last(lines: readonly string[]): string {
  return lines.at(-1) ?? '';
}

/** What is the same every time: not the ids, nor how wide they make a column. */
function shapeOf(text: string): string {
  return text
    .replaceAll(/\b(?:h[a-z2-7]{26}|[0-9a-f]{64})\b/g, 'ID')
    .replaceAll(/ +/g, ' ')
    .trim();
}

/** A shell on a machine of its own: network, processes, `/var/lib` and `/run` are nobody else's. Disposing ends everything on it. */
class Machine implements AsyncDisposable {
  /** A checkout of ours, where the person stands. */
  readonly directory: string = mkdtempSync(join(tmpdir(), 'rm-'));
  readonly #shell: RunningCommand;
  #count = 0;

  constructor(within: readonly string[]) {
    for (const name of ['bin', 'node_modules', 'packages']) symlinkSync(join(HOME, name), join(this.directory, name));
    const alone = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'bash'];
    const [program = '', ...args] = within;
    this.#shell = new RunningCommand({
      program,
      args: [...args, ...alone],
      env: { PATH: process.env['PATH'] ?? '', HOME: this.directory },
    });
    this.#shell.write('mount -t tmpfs tmpfs /var/lib; mount -t tmpfs tmpfs /run\n');
    this.#shell.write(`cd ${this.directory}\n`);
  }

  get complaints(): string {
    return this.#shell.stderr;
  }

  /** Every command of a block. @returns what they said. */
  async all(block: string): Promise<string> {
    let said = '';
    for (const line of linesOf(block)) said += await this.run(line);
    return said;
  }

  /** @returns what it said. One with a `&` goes on; a person reads what `up` says before going on. @throws Error when it fails. */
  async run(line: string): Promise<string> {
    const from = this.#shell.stdout.length;
    this.#count += 1;
    this.#shell.write(`${line}\necho "<${this.#count}: $?>"\n`);
    const [mark, code] = await this.#says(new RegExp(`<${this.#count}: (\\d+)>\n`));
    if (/ up .*&$/.test(line)) await this.#says(/^add another host:/m);
    assert.equal(code, '0', `${line}\n${this.#shell.stderr}`);
    return this.#shell.stdout.slice(from).replace(mark, '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The shell is the first process of this machine: the signal reaches all others.
    this.#shell.write('kill -TERM -1; for i in {1..200}; do pgrep -v bash || break; sleep 0.05; done; exit\n');
    await this.#shell.result();
    await this.#shell[Symbol.asyncDispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #says(pattern: RegExp): Promise<RegExpMatchArray> {
    return await this.#shell.says(pattern, { withinMs: WITHIN_MS });
  }
}
