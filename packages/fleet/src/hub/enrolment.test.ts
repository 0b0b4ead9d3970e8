import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { HostId } from '@fairlead/protocol/fleet';
import { LINK_HEADERS, linkProof } from '../lib/link-proof.ts';
import { createKey, type FleetKey, signWith } from '../nats/fleet-key.ts';
import { HubPlace } from './hub-place.fixture.ts';

describe('a host’s way into the fleet', () => {
  let place: HubPlace;
  before(async () => {
    place = await HubPlace.open();
  });
  after(async () => await place[Symbol.asyncDispose]());

  const enrol = async (name: string, key: FleetKey = createKey()): Promise<{ host: HostId; key: FleetKey }> => {
    const { token } = (await place.ask('POST', '/v1/enrolment-tokens', { body: { name } })).body;
    const { body } = await place.ask('POST', '/v1/enrol', { body: { token, publicKey: key.publicKey }, token: '' });
    return { host: body.host, key };
  };

  it('is a token that works once, again for the same key when its answer was lost, and never for another', async () => {
    const { token } = (await place.ask('POST', '/v1/enrolment-tokens', { body: { name: 'once', labels: { a: '1' } } }))
      .body;
    const key = createKey();
    const body = { token, publicKey: key.publicKey, name: 'other', labels: { a: '2', b: '3' } };
    const first = await place.ask('POST', '/v1/enrol', { body, token: '' });
    assert.deepEqual([first.status, first.body.name, first.body.nats], [201, 'once', { via: 'hub' }]);
    const again = await place.ask('POST', '/v1/enrol', { body, token: '' });
    assert.deepEqual([again.status, again.body.host], [200, first.body.host]);
    const thief = { ...body, publicKey: createKey().publicKey };
    assert.equal((await place.ask('POST', '/v1/enrol', { body: thief, token: '' })).status, 401);
    assert.deepEqual((await place.ask('GET', '/v1/hosts/once')).body.labels, { a: '1', b: '3' });
    assert.equal((await place.ask('POST', '/v1/enrolment-tokens', { body: { name: 'once' } })).status, 409);
  });

  it('is a token that expires', async () => {
    const asked = { body: { name: 'late', expiresMs: 1 } };
    const { token } = (await place.ask('POST', '/v1/enrolment-tokens', asked)).body;
    const body = { token, publicKey: createKey().publicKey };
    assert.equal((await place.ask('POST', '/v1/enrol', { body, token: '' })).status, 401);
  });

  it('is a pipe to NATS for whoever signs a nonce, once; it is cut when the host is removed', async () => {
    const [mine, other] = [await enrol('mine'), await enrol('other')];
    const nonceOf = async (host: HostId): Promise<string> =>
      (await place.ask('POST', '/v1/link/challenge', { body: { host }, token: '' })).body.nonce;
    const link = async (host: HostId, nonce: string, key: FleetKey): Promise<Duplex | number> =>
      await upgrade(new URL('/v1/link', place.hub.url), {
        [LINK_HEADERS.host]: host,
        [LINK_HEADERS.nonce]: nonce,
        [LINK_HEADERS.signature]: signWith(key, linkProof('fairlead-link', host, nonce)),
      });
    const nonce = await nonceOf(mine.host);
    assert.equal(await link(mine.host, nonce, other.key), 401, 'signed by another');
    assert.equal(await link(other.host, nonce, other.key), 401, 'a nonce of another host');
    assert.equal(await link(mine.host, `${nonce}x`, mine.key), 401, 'a nonce that was made up');
    const pipe = await link(mine.host, nonce, mine.key);
    assert.ok(typeof pipe !== 'number');
    // From here on: a server that waited too long for the agent's proof hangs up by itself.
    const closed = new Promise((resolve) => void pipe.once('close', resolve));
    const [greeting] = await Array.fromAsync(firstChunk(pipe));
    assert.match(String(greeting), /^INFO \{/);
    // What nobody reads has no end.
    pipe.resume();
    assert.equal(await link(mine.host, nonce, mine.key), 401, 'used before');
    await place.ask('DELETE', '/v1/hosts/mine');
    await closed;
    assert.equal(await link(mine.host, await nonceOf(mine.host), mine.key), 401, 'removed');
  });

  it('hangs up on whoever was refused and stays', async () => {
    const { hostname, port } = new URL(place.hub.url ?? '');
    const stranger = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const failed = Promise.withResolvers<Error>();
    stranger.on('error', failed.resolve);
    stranger.write(`GET /v1/link HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: fairlead-link\r\n\r\n`);
    const heard = await Array.fromAsync(stranger.iterator({ destroyOnReturn: false }));
    assert.match(Buffer.concat(heard).toString(), /^HTTP\/1\.1 401 /);
    // Nothing tells a side that it has not ended itself that the other has closed, but its own bytes.
    const more = setInterval(() => stranger.write('more'), 50);
    const { message } = await failed.promise;
    clearInterval(more);
    assert.match(message, /EPIPE|ECONNRESET/);
  });

  it('leaves lines in an audit that cannot be changed unseen', async () => {
    await place.restart(() => {
      using direct = new DatabaseSync(join(place.options.directory, 'hub.db'));
      assert.throws(() => direct.exec("UPDATE audit SET actor = 'nobody' WHERE seq = 1"), /append-only/);
      assert.throws(() => direct.exec('DELETE FROM audit WHERE seq = 1'), /append-only/);
      direct.exec("DROP TRIGGER audit_holds; UPDATE audit SET actor = 'nobody' WHERE seq = 2");
    });
    assert.deepEqual((await place.ask('GET', '/v1/audit/check')).body, { whole: false, firstBroken: 2 });
  });
});

async function* firstChunk(stream: Duplex): AsyncGenerator {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    yield chunk;
    return;
  }
}

/** The connection, or the status of the refusal. */
async function upgrade(url: URL, headers: Record<string, string>): Promise<Duplex | number> {
  const answer = Promise.withResolvers<Duplex | number>();
  const asked = request(url, {
    agent: false,
    headers: { ...headers, Connection: 'Upgrade', Upgrade: 'fairlead-link' },
  });
  asked.once('upgrade', (_response, socket, head) => {
    socket.unshift(head);
    socket.on('error', () => {});
    answer.resolve(socket);
  });
  asked.once('response', (response) => {
    response.resume();
    answer.resolve(response.statusCode ?? 0);
  });
  asked.once('error', answer.reject);
  asked.end();
  return await answer.promise;
}
