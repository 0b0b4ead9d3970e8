import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connect } from './client.ts';
import { json } from './fake-engine.fixture.ts';
import { ScriptedServer } from './scripted-server.fixture.ts';

const SECRET = 'hunter2-correct-horse';

describe('a secret', () => {
  it('stands in no request line and in no error, only in bodies and in X-Registry-Auth', async () => {
    const lines: string[] = [];
    const answer = (line: string): string => {
      lines.push(line);
      if (line.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nApi-Version: 1.44\r\nContent-Length: 0\r\n\r\n';
      return json('500 Internal Server Error', { message: 'no' });
    };
    await using server = await ScriptedServer.open(answer);
    await using client = await connect({ host: server.host, env: {} });
    const auth = { username: 'me', password: SECRET };
    const env = [`PASSWORD=${SECRET}`];
    const attempts = [
      () => client.containers.create({ Image: 'x', Env: env }),
      () => client.containers.exec('web', ['ls'], { env }),
      () => client.run('x', ['ls'], { body: { Env: env } }),
      () => Array.fromAsync(client.images.pull('registry.example/x', { auth })),
      () => Array.fromAsync(client.images.push('registry.example/x', { auth })),
      () => client.images.inspectRemote('registry.example/x', { auth }),
      () => client.system.login(auth, { registry: 'registry.example' }),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => assert.fail('it was answered'),
        (error: unknown) => error,
      );
      assert.doesNotMatch(`${String(error)} ${JSON.stringify(error)}`, new RegExp(SECRET));
    }
    assert.ok(lines.length > attempts.length, 'every attempt has reached the server');
    const encoded = Buffer.from(JSON.stringify(auth)).toString('base64url');
    for (const line of lines) {
      assert.doesNotMatch(
        line,
        new RegExp(`${SECRET}|${Buffer.from(SECRET).toString('base64').slice(0, 12)}|${encoded.slice(8, 24)}`),
      );
    }
    assert.match(server.received, new RegExp(SECRET));
    assert.match(server.received, /^X-Registry-Auth: \S+/im);
  });
});
