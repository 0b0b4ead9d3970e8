import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { connect, NotFoundError } from '@fairlead/client';
import Docker from 'dockerode';
import { eventually } from '../eventually.ts';
import { sessions } from '../sessions.ts';

const DOCUMENT = join(import.meta.dirname, '../../docs/from-dockerode.md');

/** One task: what is done on the left, and what on the right. */
interface Pair {
  readonly title: string;
  readonly dockerode: string;
  readonly fairlead: string;
}

/** Every section of the document has two blocks of code, the left one first. */
function readPairs(): readonly Pair[] {
  return readFileSync(DOCUMENT, 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [dockerode = '', fairlead = '', ...more] = [...section.matchAll(/^```js\n([^]*?)^```$/gm)].map(
        (match) => match[1] ?? '',
      );
      const [title = ''] = section.split('\n');
      assert.ok(fairlead !== '' && more.length === 0, `${title}: not two blocks`);
      return { title, dockerode, fairlead };
    });
}

/** What the document may use without a word: Node's own, and what the client exports. */
const TOOLS = { createInterface, NotFoundError, PassThrough, Readable, text };

const AsyncFunction = (async () => {}).constructor as new (
  ...words: readonly string[]
) => (...values: readonly unknown[]) => Promise<unknown>;

/** Runs a block; it leaves what it learned in `seen`. */
async function run(code: string, docker: unknown, name: string): Promise<unknown> {
  const block = new AsyncFunction('docker', 'name', ...Object.keys(TOOLS), `${code}\nreturn seen;`);
  return await block(docker, name, ...Object.values(TOOLS));
}

sessions('docs/from-dockerode.md', (session) => {
  /** A container that has said something on both streams, and ends with 5 on SIGTERM. */
  async function talker(): Promise<string> {
    const program = 'trap "exit 5" TERM; echo one; echo two >&2; while :; do sleep 0.1; done';
    const name = await session.background([], ['sh', '-c', program]);
    await eventually(async () => (await session.docker.ok('logs', name)).includes('one'), true);
    return name;
  }

  for (const { title, dockerode, fairlead } of readPairs()) {
    it(`${title}: both sides see the same`, async () => {
      const theirs = await run(dockerode, new Docker({ socketPath: session.engine.socketPath }), await talker());
      await using docker = await connect({ host: session.engine.host });
      const ours = await run(fairlead, docker, await talker());
      assert.deepEqual(ours, theirs);
      assert.notEqual(ours, undefined, 'and see something');
    });
  }
});
