import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineUnderTest } from './engines.ts';
import { LocalRegistry, REGISTRY_LOGIN } from './local-registry.ts';

describe('LocalRegistry', () => {
  // Podman's answer to a login insists on TLS, whatever its settings say of the registry.
  const cases = [
    { kind: 'dockerd', login: true },
    { kind: 'podman', login: false },
  ] as const;
  for (const { kind, login } of cases) {
    it(`takes an image of ${kind} and gives it back${login ? ', after a login' : ''}`, async () => {
      await using registry = await LocalRegistry.start({ login });
      await using engine = await EngineUnderTest.start(kind, { insecureRegistries: [registry.address] });
      const { docker } = engine;
      const name = `${registry.address}/some/busybox:1`;
      await docker.ok('tag', 'busybox', name);
      if (login) {
        assert.notEqual((await docker.run(['push', name])).exitCode, 0);
        const { username, password } = REGISTRY_LOGIN;
        const answer = await docker.run(['login', '-u', username, '--password-stdin', registry.address], password);
        assert.equal(answer.exitCode, 0, answer.stderr);
      }
      await docker.ok('push', name);
      await docker.ok('rmi', name);
      await docker.ok('pull', name);
      await docker.ok('run', '-d', '--network', 'none', '--name', 'web', name, 'sleep', '1000');
      assert.equal(await docker.ok('exec', 'web', 'echo', 'here'), 'here');
    });
  }
});
