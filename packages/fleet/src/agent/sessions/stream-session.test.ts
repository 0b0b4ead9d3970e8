import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSignal } from '@fairlead/protocol';
import { hostSubjects, SESSION_RING_BYTES, type SessionFrame, type TerminalRect } from '@fairlead/protocol/fleet';
import type { NatsConnection } from '@nats-io/nats-core';
import { natsTestPlace, type NatsTestPlace, testAgent } from '../../nats/nats-place.fixture.ts';
import type { Denial } from '../policy/policy.ts';
import { AgentChannel } from './agent-channel.ts';
import { overNats } from './channel-way.ts';
import { HubChannel } from './hub-channel.fixture.ts';
import type { SessionSource, SourceChunk } from './session-source.ts';
import { StreamSession } from './stream-session.ts';

const agent = testAgent('a');
const subjects = hostSubjects(agent.host);
const MANY = Number.MAX_SAFE_INTEGER;

describe('StreamSession', () => {
  let place: NatsTestPlace;
  let [hub, own]: NatsConnection[] = [];
  let channels = 0;

  before(async () => {
    place = await natsTestPlace([agent]);
    [hub, own] = [await place.hub(), await place.agent(agent)];
  });
  after(() => place[Symbol.asyncDispose]());

  /** A session with one more viewer for each `look`. */
  function scene(source: ScriptedSource): Scene {
    assert.ok(hub !== undefined && own !== undefined);
    const link = { nats: own, subjects };
    const session = new StreamSession({ kind: 'exec', source });
    const hubLink = { nats: hub, subjects };
    return {
      session,
      async look(write = false, signalsDenied?: Denial) {
        channels += 1;
        const seen = new HubChannel(hubLink, `c${channels}`);
        await hubLink.nats.flush();
        const channel = `c${channels}`;
        session.join((ends) => new AgentChannel(overNats(link), channel, ends), {
          ...{ write, signalsDenied, changed: () => {} },
        });
        await link.nats.flush();
        return seen;
      },
      [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
    };
  }

  it('shows the same to everybody, from where each of them is', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    using first = await here.look();
    first.send({ kind: 'credit', offset: 0, limit: MANY });
    source.say('one ');
    source.say('two ', 2);
    await until(() => first.text() === 'one two ');
    using second = await here.look();
    second.send({ kind: 'credit', offset: 4, limit: MANY });
    source.say('three');
    source.exit(7);
    await until(() => [first, second].every(({ came }) => came.at(-1)?.kind === 'exit'));
    assert.equal(first.text(), 'one two three');
    assert.equal(second.text(), 'two three');
    assert.deepEqual({ ...second.came.at(-1) }, { kind: 'exit', offset: 13, exitCode: 7, reason: '' });
  });

  it('goes on at its offset after the viewer was away, and says how much was lost to the ring', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    {
      using first = await here.look();
      first.send({ kind: 'credit', offset: 0, limit: MANY });
      source.say('before');
      await until(() => first.text() === 'before');
    }
    source.say('x'.repeat(SESSION_RING_BYTES));
    source.say('while away');
    await until(() => source.drained);
    using again = await here.look();
    again.send({ kind: 'credit', offset: 6, limit: MANY });
    await until(() => again.text().endsWith('while away'));
    assert.deepEqual({ ...again.came[0] }, { kind: 'skipped', offset: 6, count: 10 });
    assert.equal(again.text().length, SESSION_RING_BYTES);
  });

  it('never makes the program wait for a viewer that does not read', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    using idle = await here.look();
    idle.send({ kind: 'credit', offset: 0, limit: 1000 });
    source.say('y'.repeat(2000));
    await until(() => idle.text().length === 1000);
    for (let at = 0; at < 80; at += 1) source.say('y'.repeat(64 * 1024));
    await until(() => source.drained);
    assert.equal(idle.text().length, 1000);
  });

  it('takes input from one of them, in order, each byte once', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    using watcher = await here.look();
    using first = await here.look(true);
    await until(() => first.came.some(({ kind }) => kind === 'credit'));
    watcher.send(typed(0, 'no'));
    first.send(typed(0, 'ab'));
    first.send(typed(1, 'bc'));
    await until(() => source.typed === 'abc');
    using second = await here.look(true);
    await until(() => second.came.some(({ kind }) => kind === 'credit'));
    await until(() => first.came.some((frame) => frame.kind === 'close' && /another viewer types/.test(frame.reason)));
    first.send(typed(3, 'late'));
    second.send(typed(3, 'd'));
    second.send({ kind: 'resize', id: 1, rows: 5, columns: 6 });
    second.send({ kind: 'signal', id: 2, signal: 'INT' });
    second.send({ kind: 'half-close', offset: 4 });
    await until(() => source.inputEnded && source.signals.length > 0 && source.sizes.length > 0);
    assert.equal(source.typed, 'abcd');
    assert.deepEqual(source.sizes, [{ kind: 'resize', id: 1, rows: 5, columns: 6 }]);
  });

  it('is ended by a viewer that may type, not by one that only looks', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    using watcher = await here.look();
    using typist = await here.look(true);
    watcher.send({ kind: 'credit', offset: 0, limit: MANY });
    watcher.send({ kind: 'close', reason: '' });
    watcher.send({ kind: 'signal', id: 1, signal: 'INT' });
    await until(() => watcher.came.some(({ kind }) => kind === 'answer'));
    source.say('still here');
    await until(() => watcher.text() === 'still here');
    typist.send({ kind: 'close', reason: '' });
    await here.session.over;
  });

  it('lets Ctrl-C pass a window full of input', async () => {
    const source = new ScriptedSource({ reads: false });
    await using here = scene(source);
    using writer = await here.look(true);
    await until(() => writer.came.some(({ kind }) => kind === 'credit'));
    for (let at = 0; at < 8; at += 1) writer.send(typed(at * 32_768, 'z'.repeat(32_768)));
    writer.send({ kind: 'signal', id: 1, signal: 'INT' });
    await until(() => source.signals.length > 0);
  });

  it('answers every size and signal, and says why one was not delivered', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    using watcher = await here.look();
    watcher.send({ kind: 'signal', id: 1, signal: 'INT' });
    using denied = await here.look(true, { rule: 'verbs', message: 'kill is not allowed here' });
    denied.send({ kind: 'signal', id: 2, signal: 'INT' });
    await until(() => answers(denied).length === 1);
    using writer = await here.look(true);
    writer.send({ kind: 'resize', id: 3, rows: 1, columns: 2 });
    writer.send({ kind: 'signal', id: 4, signal: 'INT' });
    writer.send({ kind: 'signal', id: 5, signal: 'NOSUCH' });
    await until(() => answers(writer).length === 3 && answers(watcher).length === 1);
    assert.deepEqual(answers(watcher), [[1, 'only the viewer that may type is heard']]);
    assert.deepEqual(answers(denied), [[2, 'kill is not allowed here (verbs)']]);
    assert.deepEqual(answers(writer), [
      [3, null],
      [4, null],
      [5, 'invalid signal: NOSUCH'],
    ]);
    assert.deepEqual([source.signals, source.sizes.length], [['INT'], 1]);
  });

  it('tells why there is no exit code instead of making one up', async () => {
    const source = new ScriptedSource();
    await using here = scene(source);
    using seen = await here.look();
    seen.send({ kind: 'credit', offset: 0, limit: MANY });
    source.exit(new Error('the engine is gone'));
    await until(() => seen.came.at(-1)?.kind === 'exit');
    const { exitCode, reason } = seen.came.at(-1) as Extract<SessionFrame, { kind: 'exit' }>;
    assert.deepEqual([exitCode, reason], [null, 'the engine is gone']);
  });
});

interface Scene extends AsyncDisposable {
  readonly session: StreamSession;
  look(write?: boolean, signalsDenied?: Denial): Promise<HubChannel>;
}

/** By number: each comes when it was done. */
function answers({ came }: HubChannel): readonly (readonly [number, string | null])[] {
  const all = came.flatMap((frame) => (frame.kind === 'answer' ? [[frame.id, frame.refusal] as const] : []));
  return all.toSorted(([one], [other]) => one - other);
}

function typed(offset: number, text: string): SessionFrame {
  return { kind: 'bytes', stream: 0, offset, bytes: Buffer.from(text) };
}

async function until(check: () => boolean): Promise<void> {
  for (let tries = 0; !check(); tries += 1) {
    assert.ok(tries < 2_000, `it did not come to that: ${check.toString()}`);
    await sleep(10);
  }
}

/** A program that says what the test says. */
class ScriptedSource implements SessionSource {
  readonly tty = false;
  readonly signals: string[] = [];
  readonly sizes: TerminalRect[] = [];
  typed = '';
  inputEnded = false;
  drained = true;
  readonly #reads: boolean;
  readonly #said: SourceChunk[] = [];
  #exit: number | Error | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(program: { readonly reads: boolean } = { reads: true }) {
    this.#reads = program.reads;
  }

  say(text: string, stream: 1 | 2 = 1): void {
    this.#said.push({ stream, bytes: Buffer.from(text) });
    this.drained = false;
    this.#wake.resolve();
  }

  exit(how: number | Error): void {
    this.#exit = how;
    this.#wake.resolve();
  }

  async *output(): AsyncGenerator<SourceChunk> {
    for (;;) {
      for (let next = this.#said.shift(); next !== undefined; next = this.#said.shift()) yield next;
      this.drained = true;
      if (this.#exit !== undefined) return;
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#reads) await new Promise(() => {});
    this.typed += Buffer.from(bytes).toString();
  }

  endInput(): void {
    this.inputEnded = true;
  }

  async resize(size: TerminalRect): Promise<void> {
    this.sizes.push({ ...size });
  }

  async signal(name: string): Promise<void> {
    parseSignal(name);
    this.signals.push(name);
  }

  async exitCode(): Promise<number | null> {
    if (this.#exit instanceof Error) throw this.#exit;
    return this.#exit ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.exit(0);
  }
}
