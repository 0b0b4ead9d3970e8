import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HEARTBEAT_MS, heartbeatMs } from '@fairlead/protocol/fleet';
import { testHost } from '../../nats/nats-place.fixture.ts';
import { Presence } from './presence.ts';

const host = testHost('a');
const engine = { name: 'fairlead', version: '1', apiVersion: '1.47', state: 'ok' } as const;
const hello = { linkVersion: 1, agentVersion: '1', engine, openOperations: [] };

function scene(agents = 1): { presence: Presence; told: string[]; clock: { nowMs: number } } {
  const clock = { nowMs: 0 };
  const told: string[] = [];
  const changed = (_host: string, online: boolean): void => void told.push(online ? 'online' : 'offline');
  return { presence: new Presence({ nowMs: () => clock.nowMs, agents: () => agents, changed }), told, clock };
}

describe('Presence', () => {
  it('takes a host for offline after three and a half heartbeats of silence, and says each change once', () => {
    const { presence, told, clock } = scene();
    presence.hello(host, hello);
    presence.heartbeat(host, { engine, runningOperations: 0, sessions: 2 });
    clock.nowMs = 3 * HEARTBEAT_MS;
    presence.sweep();
    assert.deepEqual([told, presence.get(host)?.sessions], [['online'], 2]);
    clock.nowMs = 4 * HEARTBEAT_MS;
    presence.sweep();
    presence.sweep();
    assert.deepEqual(told, ['online', 'offline']);
  });

  it('concludes nothing while the hub itself is cut off', () => {
    const { presence, told, clock } = scene();
    presence.hello(host, hello);
    presence.hubIsAway();
    clock.nowMs = 100 * HEARTBEAT_MS;
    presence.sweep();
    presence.hubIsBack();
    presence.sweep();
    assert.deepEqual(told, ['online']);
  });

  it('takes the server’s word for a host’s last connection, and for no other', () => {
    const { presence, told } = scene();
    presence.connected(host, 'n/1');
    presence.connected(host, 'n/2');
    presence.hello(host, hello);
    presence.disconnected(host, 'n/1');
    assert.deepEqual(told, ['online']);
    presence.disconnected(host, 'n/2');
    assert.deepEqual(told, ['online', 'offline']);
  });

  it('asks for fewer heartbeats in a large fleet', () => {
    assert.equal(scene(1_000).presence.heartbeatMs, heartbeatMs(1_000));
    assert.equal(heartbeatMs(1_000), 20_000);
  });
});
