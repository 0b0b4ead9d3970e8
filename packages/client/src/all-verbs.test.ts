import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALL_ROWS, HOSTILE_NAME, HOSTILE_SEGMENT, SECRET, VERBS, WITHIN_OTHERS } from './all-verbs.fixture.ts';
import { RequestFailedError } from './errors.ts';
import { FakeEngine, json } from './fake-engine.fixture.ts';

const failures = [
  { status: '404 Not Found', kind: 'not-found' },
  { status: '409 Conflict', kind: 'conflict' },
  { status: '500 Internal Server Error', kind: 'internal' },
] as const;

/** Questions that a verb asks before its own: they are answered well. */
const BEFORE: readonly (readonly [RegExp, unknown])[] = [
  [/^GET \S+\/info /, { KillConfirmMs: 1000 }],
  [/^GET \S+\/containers\/[^/]+\/json /, { Config: { Tty: false }, State: { Running: true } }],
];

describe('every row of the endpoint table', () => {
  it('is reached by a verb of the client', () => {
    const reached = new Set([...VERBS.map(({ row }) => row), ...WITHIN_OTHERS]);
    const missing = ALL_ROWS.filter((row) => !reached.has(row)).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(missing, []);
  });

  for (const { title, row, ask } of VERBS) {
    const own = new RegExp(
      `^${row.method} \\S*?${row.path.replace(/\{\w+(\.\.\.)?\}/g, '[^ ?]+').replaceAll('.', '\\.')}[? ]`,
    );

    for (const { status, kind } of failures) {
      it(`throws ${kind} for ${status.slice(0, 3)}: ${title}`, async () => {
        const engine = new FakeEngine(({ line, socket }) => {
          const before = own.test(line) ? undefined : BEFORE.find(([pattern]) => pattern.test(line));
          if (before !== undefined) socket.write(json('200 OK', before[1]));
          else socket.write(row.method === 'HEAD' ? `HTTP/1.1 ${status}\r\n\r\n` : json(status, { message: 'no' }));
        });
        await using client = await engine.client();
        await assert.rejects(ask(client, 'web'), (error: Error) => {
          assert.ok(error instanceof RequestFailedError, `${error.name}: ${error.message}`);
          assert.deepEqual([error.kind, error.status], [kind, Number(status.slice(0, 3))]);
          if (row.method !== 'HEAD') assert.equal(error.message, 'no');
          return true;
        });
      });
    }

    it(`has neither a hostile name nor a secret in its request line: ${title}`, async () => {
      const engine = new FakeEngine(({ socket }) => void socket.write(json('500 Internal Server Error', {})));
      await using client = await engine.client();
      await assert.rejects(ask(client, HOSTILE_NAME));
      assert.ok(engine.requests.length > 0);
      for (const { line } of engine.requests) {
        const [, target = ''] = line.split(' ');
        const path = target.split('?')[0] ?? '';
        assert.doesNotMatch(line, new RegExp(`${SECRET}|${btoa(SECRET).slice(0, 6)}`));
        assert.match(target, /^[\x21-\x7e]*$/);
        assert.ok(!path.includes('..') || path.includes(HOSTILE_SEGMENT), line);
        assert.ok(!/[?#].*[?#]/.test(target.replace('?', '')), line);
      }
    });
  }
});
