import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SESSION_CREDIT_BYTES_FIRST, type SessionFrame } from '@fairlead/protocol/fleet';
import { SessionEnd } from './session-end.ts';
import type { SessionChannel } from './session-keeper.ts';

describe('SessionEnd', () => {
  it('carries both directions whole and in order while its channels break', { timeout: 60_000 }, async () => {
    const [caller, agent] = [new SessionEnd('caller'), new SessionEnd('agent')];
    const wires = new BreakingWires(caller, agent);
    const [up, down] = [randomBytes(3_000_000), randomBytes(5_000_000)];
    const moving = wires.runUntil(Promise.all([caller.closed, agent.closed]));
    const [upArrived, downArrived] = await Promise.all([
      digest(agent.stream),
      digest(caller.stream),
      write(caller.stream, up, 70_001),
      write(agent.stream, down, 33_333),
    ]);
    assert.equal(upArrived, hash(up));
    assert.equal(downArrived, hash(down));
    await moving;
    assert.ok(wires.broken > 10, `${wires.broken} channels broke`);
  });

  it('lets one direction go on after the other was half-closed', async () => {
    const [caller, agent] = [new SessionEnd('caller'), new SessionEnd('agent')];
    const over = new BreakingWires(caller, agent, Infinity).runUntil(Promise.all([caller.closed, agent.closed]));
    caller.stream.end('question');
    const asked: Buffer[] = [];
    for await (const chunk of agent.stream) asked.push(chunk);
    assert.equal(Buffer.concat(asked).toString(), 'question');
    agent.stream.end('answer');
    const answered: Buffer[] = [];
    for await (const chunk of caller.stream) answered.push(chunk);
    assert.equal(Buffer.concat(answered).toString(), 'answer');
    await over;
  });

  it('makes the writer wait for a reader that stops', async () => {
    const [caller, agent] = [new SessionEnd('caller'), new SessionEnd('agent')];
    const wires = new BreakingWires(caller, agent, Infinity);
    let accepted = 0;
    const chunk = new Uint8Array(64 * 1024);
    const push = (): void => {
      agent.stream.write(chunk, () => {
        accepted += chunk.length;
        if (!agent.stream.destroyed) push();
      });
    };
    push();
    for (let at = 0; at < 2_000; at += 1) {
      wires.step();
      await turn();
    }
    assert.ok(accepted < 5 * 1024 * 1024, `${accepted} bytes were taken`);
    assert.ok(wires.carried <= 2 * SESSION_CREDIT_BYTES_FIRST, `${wires.carried} bytes are on the way`);
    caller.stream.destroy();
    for (let at = 0; at < 10; at += 1) wires.step();
    await agent.closed;
  });

  it('tells the reader when the other end is over in the middle', async () => {
    const [caller, agent] = [new SessionEnd('caller'), new SessionEnd('agent')];
    const over = new BreakingWires(caller, agent, Infinity).runUntil(caller.closed);
    agent.stream.write('half a');
    agent.stream.destroy(new Error('the engine was killed'));
    await assert.rejects(digest(caller.stream), /lost: the engine was killed/);
    await over;
  });
});

/** Two queues between the ends; now and then what is on them is lost, and both ends get a new channel. */
class BreakingWires {
  broken = 0;
  carried = 0;
  readonly #ends: readonly [SessionEnd, SessionEnd];
  readonly #breakEvery: number;
  #queues: [SessionFrame[], SessionFrame[]] = [[], []];
  #channels: readonly [SessionChannel, SessionChannel];
  #steps = 0;

  constructor(caller: SessionEnd, agent: SessionEnd, breakEvery = 9) {
    this.#ends = [caller, agent];
    this.#breakEvery = breakEvery;
    this.#channels = this.#join();
  }

  async runUntil(done: Promise<unknown>): Promise<void> {
    const over = { is: false };
    done.then(
      () => (over.is = true),
      () => (over.is = true),
    );
    while (!over.is) {
      this.step();
      await turn();
    }
  }

  step(): void {
    this.#steps += 1;
    if (this.#steps % this.#breakEvery === 0) {
      this.broken += 1;
      this.#channels.forEach((channel, at) => this.#ends[at]?.lost(channel));
      this.#channels = this.#join();
      return;
    }
    for (const side of [0, 1] as const) {
      const frames = this.#queues[side].splice(0, 3);
      for (const frame of frames) {
        if (frame.kind === 'bytes') this.carried += frame.bytes.length;
        this.#ends[side].receive(this.#channels[side], frame);
      }
    }
  }

  #join(): readonly [SessionChannel, SessionChannel] {
    const queues: [SessionFrame[], SessionFrame[]] = [[], []];
    this.#queues = queues;
    const channels = [
      { send: (frame: SessionFrame) => void queues[1].push(frame) },
      { send: (frame: SessionFrame) => void queues[0].push(frame) },
    ] as const;
    this.#channels = channels;
    this.#ends[0].join(channels[0]);
    this.#ends[1].join(channels[1]);
    return channels;
  }
}

async function write(stream: SessionEnd['stream'], bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise((resolve) => stream.write(bytes.subarray(at, at + size), resolve));
  }
  stream.end();
}

async function digest(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const sum = createHash('sha256');
  for await (const chunk of stream) sum.update(chunk);
  return sum.digest('hex');
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
