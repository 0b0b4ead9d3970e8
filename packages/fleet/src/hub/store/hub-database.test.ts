import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { HubDatabase } from './hub-database.ts';

const GROUPS = 400;
const ROWS_PER_GROUP = 100;
/** A row fills a page of SQLite's. */
const ROW: string = 'x'.repeat(3_000);
const LOG_BYTES_MAX: number = 48 * 1024 * 1024;

describe('HubDatabase', () => {
  it('keeps its log short while it is written to without a pause, and loses nothing of it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-hub-'));
    await using _ = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
    const path = join(directory, 'hub.db');
    {
      await using database = HubDatabase.open(path);
      database.prepare('CREATE TABLE written (n INTEGER PRIMARY KEY, text TEXT) STRICT').run();
      const insert = database.prepare('INSERT INTO written (text) VALUES (?)');
      let longest = 0;
      for (let group = 0; group < GROUPS; group += 1) {
        for (let row = 0; row < ROWS_PER_GROUP; row += 1) database.add(() => void insert.run(ROW));
        await database.settled();
        longest = Math.max(longest, statSync(`${path}-wal`).size);
      }
      assert.ok(longest < LOG_BYTES_MAX, `the log had ${longest} bytes of ${GROUPS * ROWS_PER_GROUP * 4096}`);
    }
    await using again = HubDatabase.open(path);
    assert.equal(again.prepare('SELECT count(*) AS count FROM written').get()?.['count'], GROUPS * ROWS_PER_GROUP);
  });

  it('has on disk what was written while it was closing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'fairlead-hub-'));
    await using _ = { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
    const path = join(directory, 'hub.db');
    const database = HubDatabase.open(path);
    database.prepare('CREATE TABLE written (n INTEGER PRIMARY KEY, text TEXT) STRICT').run();
    const insert = database.prepare('INSERT INTO written (text) VALUES (?)');
    const first = database.write(() => void insert.run('before'));
    const closed = database[Symbol.asyncDispose]();
    const second = database.write(() => void insert.run('meanwhile'));
    await Promise.all([first, second, closed]);
    await using again = HubDatabase.open(path);
    assert.equal(again.prepare('SELECT count(*) AS count FROM written').get()?.['count'], 2);
  });
});
