import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { hostId } from '@fairlead/protocol/fleet';
import { SUBMITTED } from '../operation/machine.ts';
import type { OperationRecord } from '../operation/record.ts';
import { HubDatabase } from './hub-database.ts';
import { type OperationFilter, OperationsTable } from './operations-table.ts';
import { ROWS_TOGETHER } from './schema.ts';

const host = hostId(`h${'a'.repeat(26)}`);
const other = hostId(`h${'b'.repeat(26)}`);

describe('OperationsTable', () => {
  it('gives back what was put, by id and by key, also from another hub’s file', async () => {
    await using place = await directory();
    const [first, second] = [operation(1), operation(2)];
    const ended = withState(first, 'SUCCEEDED');
    {
      await using database = HubDatabase.open(place.path);
      const table = new OperationsTable(database);
      table.add(first, () => {});
      table.add(second, () => {});
      await table.settled();
      table.put(ended, () => {});
      await table.settled();
      assert.deepEqual(table.get(first.id), ended);
    }
    await using database = HubDatabase.open(place.path);
    const table = new OperationsTable(database);
    assert.deepEqual(table.open(), [second]);
    assert.deepEqual(table.byKey('key-1'), ended);
    table.put(withState(second, 'FAILED'), () => {});
    assert.deepEqual(
      table.list({ limit: 10 }).map(({ life }) => life.state),
      ['FAILED', 'SUCCEEDED'],
    );
  });

  it('tells of each write once it is on disk, in order, and only of those', async () => {
    await using place = await directory();
    await using database = HubDatabase.open(place.path);
    const table = new OperationsTable(database);
    const told: string[] = [];
    table.add(operation(1), () => told.push('1 added'));
    table.put(withState(operation(1), 'CLAIMED'), () => told.push('1 claimed'));
    // Seen by a read at once, and not yet on disk.
    assert.equal(table.list({ limit: 1 })[0]?.life.state, 'CLAIMED');
    table.add(operation(2), () => told.push('2 added'));
    assert.deepEqual(told, []);
    await table.settled();
    assert.deepEqual(told, ['1 added', '1 claimed', '2 added']);
  });

  it('lists those of one host, the newest first, however many others there are', async () => {
    await using place = await directory();
    await using database = HubDatabase.open(place.path);
    const table = new OperationsTable(database);
    const rare = new Set([3, 4_095, 4_096, 5_000, 12_345]);
    for (let at = 1; at <= 13_000; at += 1)
      table.add({ ...operation(at), host: rare.has(at) ? other : host }, () => {});
    const listed = (filter: Partial<OperationFilter>): readonly string[] =>
      table.list({ host: other, limit: 10, ...filter }).map(({ id }) => id);
    assert.deepEqual(listed({}), ['op_12345', 'op_5000', 'op_4096', 'op_4095', 'op_3']);
    assert.deepEqual(listed({ limit: 2 }), ['op_12345', 'op_5000']);
    assert.deepEqual(listed({ before: 'op_4096' }), ['op_4095', 'op_3']);
    assert.deepEqual(listed({ state: 'FAILED' }), []);
    const sql = `SELECT n FROM operations WHERE host = ? AND n / ${ROWS_TOGETHER} = ? ORDER BY n DESC LIMIT ?`;
    assert.match(
      String(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).get(other, 0, 1)?.['detail']),
      /INDEX operations_host/,
    );
  });

  it('reads and goes on with the rows of a hub that knew one column', async () => {
    await using place = await directory();
    const old = operation(1);
    {
      using file = new DatabaseSync(place.path);
      file.exec(VERSION_1);
      file
        .prepare('INSERT INTO operations (id, key, host, state, open, document) VALUES (?, ?, ?, ?, 1, ?)')
        .run(old.id, old.key, old.host, old.life.state, JSON.stringify(old));
    }
    await using database = HubDatabase.open(place.path);
    const table = new OperationsTable(database);
    assert.deepEqual(table.open(), [old]);
    table.put(withState(old, 'EXPIRED'), () => {});
    await table.settled();
    assert.deepEqual([table.get(old.id)?.life.state, table.open()], ['EXPIRED', []]);
  });
});

/** The tables of version 1, as far as operations are concerned. */
const VERSION_1 = `
  CREATE TABLE operations (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, key TEXT UNIQUE, host TEXT NOT NULL, target TEXT,
    state TEXT NOT NULL, open INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
  CREATE INDEX operations_open ON operations (open) WHERE open = 1;
  PRAGMA user_version=1`;

function operation(at: number): OperationRecord {
  return {
    id: `op_${at}`,
    key: `key-${at}`,
    fingerprint: 'f',
    host,
    hostName: 'web-1',
    command: { verb: 'noop' },
    actor: { name: 'local', role: 'admin' },
    mode: 'live',
    startByMs: null,
    moment: { bootId: 'b', ms: at },
    submittedAt: at,
    startedAt: null,
    startedMoment: null,
    endedAt: null,
    life: SUBMITTED,
    events: [{ seq: 1, atMs: 0, kind: 'submitted', state: 'SUBMITTED' }],
  };
}

function withState(record: OperationRecord, state: OperationRecord['life']['state']): OperationRecord {
  return { ...record, life: { ...record.life, state } };
}

async function directory(): Promise<AsyncDisposable & { readonly path: string }> {
  const made = await mkdtemp(join(tmpdir(), 'fairlead-hub-'));
  return {
    path: join(made, 'hub.db'),
    [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }),
  };
}
