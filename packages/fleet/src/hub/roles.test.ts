import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FLEET_ROLES, type FleetRole, roleIncludes } from '@fairlead/protocol/fleet';
import { FAILURES_MAX } from './access/failure-limit.ts';
import { ACCESS_ENDPOINTS } from './api/access.ts';
import { HOST_ENDPOINTS } from './api/hosts.ts';
import { OPERATION_ENDPOINTS } from './api/operations.ts';
import { HubPlace } from './hub-place.fixture.ts';

/** The least role that may ask; null: nobody needs a token. Written down a second time, so that a slip of a row shows. */
const NEEDED: Readonly<Record<string, FleetRole | null>> = {
  'POST /v1/operations': 'operate',
  'GET /v1/operations': 'view',
  'GET /v1/operations/:id': 'view',
  'GET /v1/operations/:id/history': 'view',
  'GET /v1/operations/:id/events': 'view',
  'POST /v1/operations/:id/cancel': 'operate',
  'GET /v1/hosts': 'view',
  'GET /v1/hosts/:host': 'view',
  'PATCH /v1/hosts/:host': 'admin',
  'DELETE /v1/hosts/:host': 'admin',
  'GET /v1/containers': 'view',
  'GET /v1/events': 'view',
  'GET /v1/whoami': 'view',
  'GET /v1/users': 'admin',
  'POST /v1/users': 'admin',
  'DELETE /v1/users/:name': 'admin',
  'GET /v1/enrolment-tokens': 'admin',
  'POST /v1/enrolment-tokens': 'admin',
  'DELETE /v1/enrolment-tokens/:id': 'admin',
  'POST /v1/enrol': null,
  'GET /v1/audit': 'admin',
  'GET /v1/audit/check': 'admin',
};

describe('roles of the hub’s API', () => {
  let place: HubPlace;
  const tokens = new Map<FleetRole, string>();
  before(async () => {
    place = await HubPlace.open();
    for (const role of FLEET_ROLES) {
      const { body } = await place.ask('POST', '/v1/users', { body: { name: `a-${role}`, role } });
      tokens.set(role, body.token);
    }
  });
  after(async () => await place[Symbol.asyncDispose]());

  const rows = [...OPERATION_ENDPOINTS, ...HOST_ENDPOINTS, ...ACCESS_ENDPOINTS];
  it('has a line here for every row', () => {
    const served = rows.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(served.toSorted(), Object.keys(NEEDED).toSorted());
  });

  // A stream of events does not end; what is refused is refused before it begins.
  const asked = Object.entries(NEEDED).filter(([row]) => row !== 'GET /v1/events');
  for (const [row, needed] of asked) {
    it(`${row} needs ${needed ?? 'no token'}`, async () => {
      const [method = '', path = ''] = row.split(' ');
      const concrete = path.replace(/:\w+/, 'nobody');
      const body = method === 'POST' || method === 'PATCH' ? {} : undefined;
      const without = await place.ask(method, concrete, { token: '', body });
      assert.equal(without.status, needed === null ? 400 : 401, 'without a token');
      for (const role of FLEET_ROLES) {
        const { status } = await place.ask(method, concrete, { token: tokens.get(role) ?? '', body });
        const may = needed === null || roleIncludes(role, needed);
        assert.equal(status === 403, !may, `${role}: ${status}`);
        assert.notEqual(status, 500);
      }
    });
  }

  it('needs exec for exec, and admin for a create that reaches past its container, however it is spelt', async () => {
    const cases: readonly (readonly [object, FleetRole])[] = [
      [{ verb: 'exec', container: 'a', argv: ['true'] }, 'exec'],
      [{ verb: 'create', body: { Image: 'a' } }, 'operate'],
      [{ verb: 'create', body: { HostConfig: { Privileged: true } } }, 'admin'],
      [{ verb: 'create', body: { hostconfig: { privileged: true } } }, 'admin'],
      [{ verb: 'create', body: { HostConfig: { Binds: ['/:/host'] } } }, 'admin'],
      [{ verb: 'create', body: { HostConfig: { Binds: ['data:/data'] } } }, 'operate'],
      [{ verb: 'create', body: { HostConfig: { PidMode: 'host' } } }, 'admin'],
    ];
    for (const [command, needed] of cases) {
      for (const role of FLEET_ROLES) {
        const { status } = await place.ask('POST', '/v1/operations', {
          token: tokens.get(role) ?? '',
          body: { host: 'nobody', command },
        });
        const may = roleIncludes(role, 'operate') && roleIncludes(role, needed);
        assert.equal(status, may ? 404 : 403, `${JSON.stringify(command)} by ${role}`);
      }
    }
  });

  it('ends what a user follows who is removed', async () => {
    const { body } = await place.ask('POST', '/v1/users', { body: { name: 'leaver', role: 'view' } });
    const headers = { Authorization: `Bearer ${body.token}` };
    const followed = await fetch(new URL('/v1/events', place.hub.url), { headers });
    assert.equal(followed.status, 200);
    await place.ask('DELETE', '/v1/users/leaver');
    await followed.text();
  });

  it('forgets a user at once, and refuses an address that guesses', async () => {
    await place.ask('DELETE', '/v1/users/a-exec');
    const token = tokens.get('exec') ?? '';
    assert.equal((await place.ask('GET', '/v1/whoami', { token })).status, 401);
    let status = 0;
    for (let at = 0; at <= FAILURES_MAX; at += 1)
      ({ status } = await place.ask('GET', '/v1/whoami', { token: `flu_${at}` }));
    assert.equal(status, 429);
    assert.equal((await place.ask('GET', '/v1/whoami')).body.name, 'local');
  });
});
