import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutputChunk } from './output-decoder.ts';
import { pipeTerminal, type TerminalSession, type TerminalSize } from './terminal.ts';

/** A terminal that notes what is done to it. */
class FakeTerminal {
  readonly raw: boolean[] = [];
  readonly stdin: PassThrough & { isTTY: boolean; setRawMode: (raw: boolean) => unknown };
  readonly stdout: PassThrough & { isTTY: boolean; rows: number; columns: number };
  readonly stderr = new PassThrough();

  constructor(isTTY: boolean = true) {
    this.stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: (raw: boolean) => this.raw.push(raw) });
    this.stdout = Object.assign(new PassThrough(), { isTTY, rows: 24, columns: 80 });
  }
}

class FakeSession implements TerminalSession {
  readonly tty: boolean;
  readonly written: string[] = [];
  readonly sizes: TerminalSize[] = [];
  readonly #chunks = new PassThrough({ objectMode: true });
  inputEnded = false;
  resizeFailures = 0;
  resizeTakesMs = 0;
  resizesAtOnce = 0;
  #resizing = 0;

  constructor(tty: boolean = true) {
    this.tty = tty;
  }

  say(chunk: OutputChunk): void {
    this.#chunks.write(chunk);
  }

  end(error?: Error): void {
    if (error === undefined) this.#chunks.end();
    else this.#chunks.destroy(error);
  }

  output(): AsyncIterable<OutputChunk> {
    return this.#chunks;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(bytes).toString());
  }

  endInput(): void {
    this.inputEnded = true;
  }

  async resize(size: TerminalSize): Promise<void> {
    if (this.resizeFailures > 0) {
      this.resizeFailures -= 1;
      throw new Error('not running yet');
    }
    this.#resizing += 1;
    this.resizesAtOnce = Math.max(this.resizesAtOnce, this.#resizing);
    await sleep(this.resizeTakesMs);
    this.#resizing -= 1;
    this.sizes.push(size);
  }
}

describe('pipeTerminal', () => {
  it('goes raw, and back when the stream ends', async () => {
    const [session, terminal] = [new FakeSession(), new FakeTerminal()];
    const piped = pipeTerminal(session, terminal, { stdin: true });
    terminal.stdin.write('ls\r');
    await sleep(5);
    assert.deepEqual(terminal.raw, [true]);
    session.say({ stream: 'stdout', bytes: Buffer.from('hi') });
    session.end();
    assert.equal(await piped, 'stream-ended');
    assert.deepEqual([terminal.raw, session.written, String(terminal.stdout.read())], [[true, false], ['ls\r'], 'hi']);
  });

  it('goes back when the stream breaks', async () => {
    const [session, terminal] = [new FakeSession(), new FakeTerminal()];
    const piped = pipeTerminal(session, terminal, { stdin: true });
    await sleep(1);
    session.end(new Error('broken'));
    await assert.rejects(piped, /broken/);
    assert.deepEqual(terminal.raw, [true, false]);
  });

  it('goes back when the keys are typed, also one by one, and passes on what only began like them', async () => {
    const [session, terminal] = [new FakeSession(), new FakeTerminal()];
    const piped = pipeTerminal(session, terminal, { stdin: true });
    for (const key of ['a', '\u0010', 'b', '\u0010', '\u0011']) {
      terminal.stdin.write(key);
      await sleep(2);
    }
    assert.equal(await piped, 'detached');
    assert.deepEqual([terminal.raw, session.written.join('')], [[true, false], 'a\u0010b']);
  });

  it('tells the size at the start, again while it is refused, and whenever it changes', async () => {
    const [session, terminal] = [new FakeSession(), new FakeTerminal()];
    session.resizeFailures = 2;
    const piped = pipeTerminal(session, terminal, { stdin: true });
    await sleep(80);
    Object.assign(terminal.stdout, { rows: 40, columns: 120 });
    terminal.stdout.emit('resize');
    await sleep(5);
    session.end();
    await piped;
    assert.deepEqual(session.sizes, [
      { rows: 24, columns: 80 },
      { rows: 40, columns: 120 },
    ]);
    assert.equal(terminal.stdout.listenerCount('resize'), 0);
  });

  it('tells sizes one after the other, and of those that came meanwhile only the last', async () => {
    const [session, terminal] = [new FakeSession(), new FakeTerminal()];
    session.resizeTakesMs = 10;
    const piped = pipeTerminal(session, terminal, { stdin: true });
    await sleep(15);
    for (const rows of [30, 31, 32, 33]) {
      Object.assign(terminal.stdout, { rows });
      terminal.stdout.emit('resize');
      await sleep(2);
    }
    await sleep(50);
    session.end();
    await piped;
    assert.deepEqual([session.sizes.at(-1)?.rows, session.resizesAtOnce], [33, 1]);
    assert.ok(session.sizes.length <= 4);
  });

  it('leaves a pipe as it is: no raw mode, no keys, and its end is the end of input', async () => {
    const [session, terminal] = [new FakeSession(false), new FakeTerminal(false)];
    const piped = pipeTerminal(session, terminal, { stdin: true });
    terminal.stdin.end('x\u0010\u0011y');
    await sleep(5);
    assert.deepEqual([session.written, session.inputEnded, terminal.raw], [['x\u0010\u0011y'], true, []]);
    session.say({ stream: 'stderr', bytes: Buffer.from('oops') });
    session.end();
    await piped;
    assert.equal(String(terminal.stderr.read()), 'oops');
  });

  it('refuses a terminal at the far end without one here', async () => {
    const [session, terminal] = [new FakeSession(), new FakeTerminal(false)];
    await assert.rejects(pipeTerminal(session, terminal, { stdin: true }), {
      kind: 'invalid-argument',
      message: 'the input device is not a TTY',
    });
    assert.deepEqual(terminal.raw, []);
  });

  it('ends the input at once when none is wanted', async () => {
    const [session, terminal] = [new FakeSession(false), new FakeTerminal(false)];
    const piped = pipeTerminal(session, terminal, { stdin: false });
    assert.equal(session.inputEnded, true);
    session.end();
    await piped;
  });
});
