import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type RegistryLogin, TransferFailedError } from '@fairlead/client';
import { type LocalRegistry, REGISTRY_LOGIN } from '../local-registry.ts';
import type { ClientSession, Fact } from './client-session.ts';

/** A registry for everybody, and one that asks for a login. */
export interface Registries {
  readonly open: LocalRegistry;
  readonly guarded: LocalRegistry;
}

/** Pull and push. `registries` is asked when a fact is looked at. */
export function registryFacts(session: ClientSession, fact: Fact, registries: () => Registries): void {
  fact('an image is pushed and pulled, with a figure that grows to 100', async () => {
    const { images } = session.client;
    const name = `${registries().open.address}/some/${session.name()}:1`;
    await tagged(session, name);
    const push = images.push(name);
    const pushed = await Array.fromAsync(push, ({ percent }) => percent);
    assert.deepEqual([pushed.at(-1), pushed.toSorted((a, b) => a - b)], [100, pushed]);
    await images.remove(name);
    const pulled = await Array.fromAsync(images.pull(name), ({ percent }) => percent);
    assert.deepEqual([pulled.at(-1), pulled.toSorted((a, b) => a - b)], [100, pulled]);
    assert.match((await images.inspect(name)).Id, /[0-9a-f]{64}/);
    await images.pull(name);
  });

  fact('what the registry does not have is a failure', async () => {
    const name = `${registries().open.address}/none/at-all`;
    await assert.rejects(Promise.resolve(session.client.images.pull(name)), /not found|unknown|manifest/i);
  });

  fact('a login comes from the caller, or from where Docker’s CLI keeps it', async () => {
    const { address } = registries().guarded;
    const name = `${address}/some/${session.name()}:1`;
    await tagged(session, name);
    await assert.rejects(Promise.resolve(session.client.images.push(name, { auth: 'anonymous' })));
    const wrong: RegistryLogin = { username: 'tester', password: 'wrong' };
    await assert.rejects(Promise.resolve(session.client.images.push(name, { auth: wrong })), (error: Error) => {
      assert.doesNotMatch(error.message, /wrong/);
      return true;
    });
    await session.client.images.push(name, { auth: REGISTRY_LOGIN });
    const config = join(session.engine.directory, session.name());
    mkdirSync(config);
    const auth = Buffer.from(`${REGISTRY_LOGIN.username}:${REGISTRY_LOGIN.password}`).toString('base64');
    writeFileSync(join(config, 'config.json'), JSON.stringify({ auths: { [address]: { auth } } }));
    await using client = await connect({ host: session.engine.host, env: { DOCKER_CONFIG: config } });
    await client.images.remove(name);
    await client.images.pull(name);
  });

  fact('a login is tried', async () => {
    const { address } = registries().guarded;
    const answer = await session.client.system.login(REGISTRY_LOGIN, { registry: address });
    assert.match(answer.Status, /Login Succeeded/);
    await assert.rejects(session.client.system.login({ username: 'a', password: 'b' }, { registry: address }));
  });

  fact('what the registry has is told without a pull', async () => {
    const name = `${registries().open.address}/some/${session.name()}:1`;
    await tagged(session, name);
    await session.client.images.push(name);
    const { Descriptor, Platforms } = await session.client.images.inspectRemote(name);
    assert.match(Descriptor.digest, /^sha256:/);
    assert.equal(Platforms[0]?.os, 'linux');
  });
}

/** Builds. */
export function buildFacts(session: ClientSession, fact: Fact): void {
  fact('an image is built of a directory', async () => {
    const directory = context(session, 'FROM busybox\nARG WHO\nCOPY . /made\nLABEL who=$WHO\nENV A=b\n');
    writeFileSync(join(directory, '.dockerignore'), '*.log\n');
    for (const name of ['kept.txt', 'left.log']) writeFileSync(join(directory, name), name);
    const tag = `built-${session.name()}:1`;
    const build = session.client.images.build(directory, { tags: [tag], buildArgs: { WHO: 'me' } });
    const said: string[] = [];
    for await (const { message } of build) said.push(message?.stream ?? '');
    assert.match(said.join(''), /Step 1\/5|STEP 1\/5/);
    const { imageId } = await build;
    const image = await session.client.images.inspect(tag);
    assert.ok(image.Id.includes((imageId ?? 'none').replace('sha256:', '')), imageId);
    assert.equal(image.Config?.Labels?.['who'], 'me');
    const name = await session.made({ Image: tag });
    await assert.rejects(session.client.containers.stat(name, '/made/left.log'), { kind: 'not-found' });
    assert.equal((await session.client.containers.stat(name, '/made/kept.txt')).size, 8);
  });

  fact('a build that fails is a failure', async () => {
    const directory = context(session, 'FROM busybox\nCOPY nowhere /\n');
    await assert.rejects(Promise.resolve(session.client.images.build(directory)), (error: Error) => {
      assert.ok(error instanceof TransferFailedError, error.message);
      assert.match(error.message, /nowhere/);
      return true;
    });
  });
}

async function tagged({ client }: ClientSession, name: string): Promise<void> {
  const colon = name.lastIndexOf(':');
  await client.images.tag('busybox', { repo: name.slice(0, colon), tag: name.slice(colon + 1) });
}

function context(session: ClientSession, dockerfile: string): string {
  const directory = join(session.engine.directory, session.name());
  mkdirSync(directory);
  writeFileSync(join(directory, 'Dockerfile'), dockerfile);
  return directory;
}
