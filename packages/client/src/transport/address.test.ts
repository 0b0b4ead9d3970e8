import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import { EngineUnreachableError } from '../errors.ts';
import { parseAddress, transportTo } from './address.ts';
import { connectFailure } from './connect-failure.ts';

describe('parseAddress', () => {
  const cases = [
    ['unix:///run/x.sock', { scheme: 'unix', path: '/run/x.sock' }],
    ['/run/x.sock', { scheme: 'unix', path: '/run/x.sock' }],
    ['tcp://10.0.0.1:2376', { scheme: 'tcp', hostname: '10.0.0.1', port: 2376 }],
    ['tcp://engine', { scheme: 'tcp', hostname: 'engine', port: 2375 }],
    ['tcp://[::1]:99/', { scheme: 'tcp', hostname: '::1', port: 99 }],
    ['localhost:2375', { scheme: 'tcp', hostname: 'localhost', port: 2375 }],
  ] as const;
  for (const [text, address] of cases) it(`reads ${text}`, () => assert.deepEqual(parseAddress(text), address));

  for (const text of ['', 'unix://', 'gopher://x', 'tcp://', 'tcp://a/b', 'nonsense', `unix:///${'x'.repeat(108)}`]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(
        () => parseAddress(text),
        (error) => isEngineError(error) && error.kind === 'invalid-argument',
      );
    });
  }

  it('says what it does not speak', () => {
    assert.throws(
      () => parseAddress('ssh://me@host'),
      (error) => isEngineError(error) && error.kind === 'not-implemented',
    );
  });
});

describe('UnixSocketTransport', () => {
  const never = new AbortController().signal;

  it('tells why it cannot connect, in different words for each cause', async () => {
    const home = mkdtempSync(join(tmpdir(), 'dial-'));
    try {
      const [file, stale] = [join(home, 'file'), join(home, 'stale')];
      writeFileSync(file, '');
      await leaveSocketBehind(stale);
      const said = await Promise.all(
        [join(home, 'nosuch'), stale, file, join(file, 'x')].map((path) => whyNot(`unix://${path}`, never)),
      );
      assert.deepEqual(
        said.map(({ errno }) => errno),
        ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR'],
      );
      const sentences = [
        ...said.map(({ message }) => message.replace(/unix:\S+/, '')),
        connectFailure('', 'EACCES', undefined).message,
      ];
      assert.equal(new Set(sentences).size, 5);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('rejects with the caller’s reason', async () => {
    await assert.rejects(
      transportTo(parseAddress('tcp://192.0.2.1:1')).dial(AbortSignal.abort(new Error('I left'))),
      /I left/,
    );
  });
});

async function whyNot(host: string, signal: AbortSignal): Promise<EngineUnreachableError> {
  try {
    (await transportTo(parseAddress(host)).dial(signal)).destroy();
  } catch (error) {
    if (error instanceof EngineUnreachableError) return error;
    throw error;
  }
  return assert.fail(`${host} was reached`);
}

/** A socket file without a listener: what an engine that was killed leaves. */
async function leaveSocketBehind(path: string): Promise<void> {
  const { renameSync } = await import('node:fs');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.live`, resolve));
  renameSync(`${path}.live`, path);
  await new Promise((resolve) => server.close(resolve));
}
