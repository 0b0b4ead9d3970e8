import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { ContainerSummary } from '@fairlead/protocol';
import type { InventoryDelta } from '@fairlead/protocol/fleet';
import { Inventory } from './inventory.ts';

function summary(id: string, state: string, status = 'Up 1 second'): ContainerSummary {
  return {
    Id: id,
    Names: [`/${id}-name`],
    Image: 'busybox',
    State: state,
    Status: status,
    Labels: {},
  } as unknown as ContainerSummary;
}

/** What a hub knows that was told these. */
function merged(deltas: readonly InventoryDelta[]): Readonly<Record<string, string>> {
  const known = new Map<string, string>();
  for (const { full, changed, removed } of deltas) {
    if (full) known.clear();
    for (const id of removed) known.delete(id);
    for (const { id, state } of changed) known.set(id, state);
  }
  return Object.fromEntries(known);
}

const host = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('running', 'exited'), {
  noNullPrototype: true,
});
const listOf = (now: Readonly<Record<string, string>>): readonly ContainerSummary[] =>
  Object.entries(now).map(([id, state]) => summary(id, state));

describe('Inventory', () => {
  it('lets the hub know what is there, whatever happened', () => {
    fc.assert(
      fc.property(host, fc.array(fc.tuple(host, fc.boolean())), (first, history) => {
        const inventory = new Inventory();
        const deltas = [...inventory.full(listOf(first))];
        let last = first;
        for (const [now, byId] of history) {
          const ids = [...new Set([...Object.keys(last), ...Object.keys(now)])];
          deltas.push(...(byId ? inventory.update(ids, listOf(now)) : inventory.resync(listOf(now))));
          last = now;
        }
        assert.deepEqual(merged(deltas), last);
      }),
    );
  });

  it('tells nothing when nothing changed but the seconds', () => {
    const inventory = new Inventory();
    inventory.full([summary('a', 'running', 'Up 1 second')]);
    assert.deepEqual(inventory.resync([summary('a', 'running', 'Up 9 seconds')]), []);
    assert.equal(inventory.resync([summary('a', 'running', 'Up 9 seconds (unhealthy)')]).length, 1);
  });

  it('counts, and tells many in messages of bounded size, the first of them full', () => {
    const inventory = new Inventory();
    const many = Array.from({ length: 1_000 }, (_, at) => summary(`c${at}`, at % 2 === 0 ? 'running' : 'exited'));
    const deltas = inventory.full(many);
    assert.ok(deltas.length > 1 && deltas.every((delta) => JSON.stringify(delta).length < 512 * 1024));
    assert.deepEqual(deltas.map(({ full }) => full).filter(Boolean).length, 1);
    assert.deepEqual(inventory.counts(), { containers: 1_000, running: 500 });
    assert.equal(inventory.full([])[0]?.full, true, 'an empty host says so as well');
  });
});
