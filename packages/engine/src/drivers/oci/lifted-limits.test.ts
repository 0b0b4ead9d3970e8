import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutLifted } from './lifted-limits.ts';

describe('withoutLifted', () => {
  it('keeps every limit that is one', () => {
    const resources = { cpu: { quota: 20_000, period: 100_000 }, pids: { limit: 7 }, memory: { limit: 1 } };
    assert.deepEqual(withoutLifted(resources), { kept: resources, lifted: [] });
  });

  it('takes out those that go, and only those', () => {
    const resources = { cpu: { quota: -1, period: 50_000 }, pids: { limit: -1 }, memory: { swap: -1 } };
    const kept = { cpu: { period: 50_000 }, memory: { swap: -1 } };
    assert.deepEqual(withoutLifted(resources), { kept, lifted: ['pids', 'cpu-quota'] });
  });
});
