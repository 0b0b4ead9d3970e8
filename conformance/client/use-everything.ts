import assert from 'node:assert/strict';
import { type Client, connect, type ConnectOptions, EngineUnreachableError } from '@fairlead/client';
import type { EngineUnderTest } from '../engines.ts';

/** An environment that says nothing: what the tests are run with must not matter. */
export const ENV: Readonly<Record<string, string>> = {};

/** What goes through every way: a document, a program with input that ends, an answer that is followed, a session that is cut. */
export async function useEverything(client: Client): Promise<void> {
  assert.match((await client.system.version()).ApiVersion, /^1\.\d+$/);
  const { exitCode, stdout } = await client.containers.exec('web', ['sh', '-c', 'cat; echo bye; exit 3'], {
    stdin: 'half-closed',
  });
  assert.deepEqual({ exitCode, stdout: stdout.toString() }, { exitCode: 3, stdout: 'half-closedbye\n' });
  for await (const line of client.containers.logs('web', { follow: true })) {
    assert.equal(line.text, 'ready');
    break;
  }
  await using session = await client.containers.spawn('web', ['cat'], { stdin: true });
  await session.write(Buffer.from('echo'));
  for await (const { bytes } of session.output()) {
    assert.equal(Buffer.from(bytes).toString(), 'echo');
    break;
  }
}

/** A container called `web` for it. */
export async function runWeb(engine: EngineUnderTest): Promise<void> {
  await engine.docker.ok('run', '-d', '--name', 'web', 'busybox', 'sh', '-c', 'echo ready; exec sleep 1000');
}

/** A refusal's name of the failure and its sentence. */
export async function refusalOf(
  options: ConnectOptions,
): Promise<{ readonly errno: string; readonly message: string }> {
  await using client = await connect({ env: ENV, ...options });
  const error = await client.system.version().then(
    () => assert.fail('it was reached'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof EngineUnreachableError, String(error));
  return { errno: error.errno, message: error.message };
}
