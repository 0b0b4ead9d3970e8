import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PassThrough } from 'node:stream';
import type { ProgressMessage } from '@fairlead/protocol';
import type { CliContext } from '../../context.ts';
import { showProgress } from './show-progress.ts';

const PULLED: readonly ProgressMessage[] = [
  { status: 'Pulling from library/busybox', id: 'latest' },
  { status: 'Pulling fs layer', id: 'a', progressDetail: {} },
  { status: 'Pulling fs layer', id: 'b', progressDetail: {} },
  { status: 'Downloading', id: 'a', progressDetail: { current: 1, total: 2 }, progress: '[=>  ]' },
  { status: 'Pull complete', id: 'a', progressDetail: {} },
  { status: 'Digest: sha256:0' },
];

async function shown(isTTY: boolean): Promise<string> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  async function* progress(): AsyncGenerator<{ percent: number; message: ProgressMessage }, void, undefined> {
    for (const message of PULLED) yield { percent: 0, message };
  }
  const context = { terminal: { stdin: new PassThrough(), stdout, stderr: stdout } } as unknown as CliContext;
  await showProgress(context, progress());
  return String(stdout.read());
}

describe('showProgress', () => {
  it('says each step in a line where nothing can move', async () => {
    const lines = [
      'latest: Pulling from library/busybox',
      'a: Pulling fs layer',
      'b: Pulling fs layer',
      'a: Pull complete',
    ];
    assert.equal(await shown(false), `${[...lines, 'Digest: sha256:0'].join('\n')}\n`);
  });

  it('moves each layer in its own line on a terminal', async () => {
    assert.equal(
      await shown(true),
      [
        'latest: Pulling from library/busybox\n',
        'a: Pulling fs layer\nb: Pulling fs layer\n',
        '\u001b[2A\r\u001b[2Ka: Downloading [=>  ]\u001b[2B\r',
        '\u001b[2A\r\u001b[2Ka: Pull complete\u001b[2B\r',
        'Digest: sha256:0\n',
      ].join(''),
    );
  });
});
