import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Socket } from 'node:net';
import { silentFleetLog } from '../../lib/log.ts';
import type { DialledTrunk } from '../link/dial-hub.ts';
import { AgentTrunks } from './agent-trunks.ts';

const AGAIN_MS = 150;

describe('AgentTrunks', () => {
  it('dials once for all who come, and keeps a trunk for each hub', async () => {
    const hubs = ['a', 'b', 'c'];
    const dials = new Dials(() => Promise.resolve(hubs.shift() ?? ''));
    using trunks = dials.trunks();
    const [first, second] = await Promise.all([trunks.to('a'), trunks.to('a')]);
    assert.ok(first !== undefined && first === second);
    assert.equal((await trunks.to('b'))?.id, 'trunk 2');
    assert.equal(await trunks.to('a'), first);
    assert.equal(dials.count, 2);
    first[Symbol.dispose]();
    await first.ended;
    // Another hub answered.
    assert.equal(await trunks.to('a'), undefined);
    assert.equal((await trunks.to('c'))?.id, 'trunk 3');
  });

  it('has viewers wait for a hub that does not answer once, and then for nothing', async () => {
    let answer = Promise.withResolvers<string>();
    const dials = new Dials(() => answer.promise);
    using trunks = dials.trunks();
    const startedAt = performance.now();
    assert.deepEqual(await Promise.all([trunks.to('a'), trunks.to('a')]), [undefined, undefined]);
    const waitedMs = performance.now() - startedAt;
    assert.ok(waitedMs > 900, `${waitedMs} ms`);
    assert.equal(await within(100, trunks.to('a')), undefined);
    answer.reject(new Error('cannot reach it'));
    await sleep(1);
    answer = Promise.withResolvers();
    assert.equal(await within(100, trunks.to('a')), undefined);
    assert.equal(dials.count, 1, 'not so soon');
    await sleep(AGAIN_MS);
    assert.equal(await within(100, trunks.to('a')), undefined);
    assert.equal(dials.count, 2);
    answer.resolve('a');
    await sleep(1);
    assert.equal((await trunks.to('a'))?.id, 'trunk 2');
  });
});

/** Dials as a test says: with the name of the hub that answers. */
class Dials {
  count = 0;
  readonly #answer: () => Promise<string>;

  constructor(answer: () => Promise<string>) {
    this.#answer = answer;
  }

  trunks(): AgentTrunks {
    return new AgentTrunks({ dial: () => this.#dial(), log: silentFleetLog, againMs: AGAIN_MS });
  }

  async #dial(): Promise<DialledTrunk> {
    this.count += 1;
    const id = `trunk ${this.count}`;
    return { hub: await this.#answer(), id, socket: new Socket() };
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const late = sleep(ms, undefined, { ref: false }).then(() => Promise.reject(new Error(`not within ${ms} ms`)));
  return await Promise.race([promise, late]);
}
