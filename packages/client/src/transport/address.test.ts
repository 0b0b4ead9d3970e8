import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import { EngineUnreachableError } from '../errors.ts';
import { parseAddress } from './address.ts';
import { connectFailure } from './connect-failure.ts';
import { transportTo } from './transport-to.ts';

describe('parseAddress', () => {
  const tcp = { scheme: 'tcp', secure: false } as const;
  const ssh = { scheme: 'ssh', user: undefined, port: undefined, path: undefined } as const;
  const cases = [
    ['unix:///run/x.sock', { scheme: 'unix', path: '/run/x.sock' }],
    ['/run/x.sock', { scheme: 'unix', path: '/run/x.sock' }],
    ['tcp://10.0.0.1:2376', { ...tcp, hostname: '10.0.0.1', port: 2376 }],
    ['tcp://engine', { ...tcp, hostname: 'engine', port: undefined }],
    ['tcp://[::1]:99/', { ...tcp, hostname: '::1', port: 99 }],
    ['localhost:2375', { ...tcp, hostname: 'localhost', port: 2375 }],
    ['engine', { ...tcp, hostname: 'engine', port: undefined }],
    ['https://engine:1', { ...tcp, hostname: 'engine', port: 1, secure: true }],
    ['ssh://host', { ...ssh, hostname: 'host' }],
    ['ssh://me@host:22/', { ...ssh, hostname: 'host', user: 'me', port: 22 }],
    ['ssh://a%40b@[::1]/run/my%20engine', { ...ssh, hostname: '::1', user: 'a@b', path: '/run/my engine' }],
  ] as const;
  for (const [text, address] of cases) it(`reads ${text}`, () => assert.deepEqual(parseAddress(text), address));

  const refused = ['', 'unix://', 'gopher://x', 'tcp://', 'tcp://a/b', 'not a host', `unix:///${'x'.repeat(108)}`];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(
        () => parseAddress(text),
        (error) => isEngineError(error) && error.kind === 'invalid-argument',
      );
    });
  }

  const badSsh = [
    ['ssh://me:secret@host', 'plain-text password is not supported'],
    ['ssh://host?x=1', 'query parameters are not allowed: "x=1"'],
    ['ssh://host#x', 'fragments are not allowed: "x"'],
    ['ssh://', 'hostname is empty'],
  ] as const;
  for (const [text, why] of badSsh) {
    it(`refuses ${text} in Docker's words`, () => {
      assert.throws(() => parseAddress(text), {
        message: `ssh host connection is not valid: invalid SSH URL: ${why}`,
      });
    });
  }

  for (const text of ['npipe:////./pipe/docker_engine', 'fd://3']) {
    it(`says that it does not speak ${text}`, () => {
      assert.throws(
        () => parseAddress(text),
        (error) => isEngineError(error) && error.kind === 'not-implemented',
      );
    });
  }
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
      (await transportTo(parseAddress('tcp://192.0.2.1:1'))).dial(AbortSignal.abort(new Error('I left'))),
      /I left/,
    );
  });
});

async function whyNot(host: string, signal: AbortSignal): Promise<EngineUnreachableError> {
  try {
    (await (await transportTo(parseAddress(host))).dial(signal)).destroy();
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
