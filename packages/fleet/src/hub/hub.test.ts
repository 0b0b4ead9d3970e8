import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HubPlace } from './hub-place.fixture.ts';

describe('startHub', () => {
  it('carries a live command to its host and back, once per key', async () => {
    await using place = await HubPlace.open();
    const agent = await place.agent('web-1', {}, { role: 'web' });
    const noop = { host: 'web-1', command: { verb: 'noop' }, key: 'k1' };
    const first = await place.ask('POST', '/v1/operations', { body: noop });
    assert.equal(first.status, 200, JSON.stringify(first.body));
    assert.equal(first.body.operation.state, 'SUCCEEDED');
    const again = await place.ask('POST', '/v1/operations', { body: noop });
    assert.equal(again.body.operation.id, first.body.operation.id);
    const other = await place.ask('POST', '/v1/operations', {
      body: { ...noop, command: { verb: 'pull', image: 'a' } },
    });
    assert.deepEqual([other.status, other.body.code], [409, 'KEY_CONFLICT']);
    assert.deepEqual(agent.started, [first.body.operation.id]);
  });
});
