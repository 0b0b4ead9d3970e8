import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { containerId, type ContainerId } from '@fairlead/protocol';
import type { NetworkDriver, PortRequest } from './network-driver.ts';

/** A driver with nothing in it, and processes with network namespaces of their own to try it on. */
export interface NetworkWorld extends AsyncDisposable {
  readonly driver: NetworkDriver;
  /** Another driver on the same networks, as after a restart of the engine; the first is no longer used. */
  restart(): Promise<NetworkDriver>;
  /** @returns its pid; it ends with the world at the latest. */
  startProcess(): Promise<number>;
}

/** What every network driver promises, real or fake. */
export function networkDriverSuite(name: string, open: () => Promise<NetworkWorld>): void {
  describe(`${name} as a NetworkDriver`, () => {
    it('describes a bridge with its gateway in it, and makes nothing for that', async () => {
      await using world = await open();
      const { bridge } = world.driver;
      assert.equal(bridge.name, 'bridge');
      assert.match(bridge.id, /^[0-9a-f]{64}$/);
      assert.match(bridge.subnet, /^\d+\.\d+\.\d+\.\d+\/\d+$/);
      assert.match(bridge.gateway, /^\d+\.\d+\.\d+\.\d+$/);
    });

    it('gives each container one address, and no two the same', async () => {
      await using world = await open();
      const ids = Array.from({ length: 50 }, newId);
      const endpoints = ids.map((id) => world.driver.reserve(id));
      assert.equal(new Set(endpoints.map((endpoint) => endpoint.ipAddress)).size, ids.length);
      assert.equal(new Set(endpoints.map((endpoint) => endpoint.macAddress)).size, ids.length);
      assert.equal(new Set(endpoints.map((endpoint) => endpoint.endpointId)).size, ids.length);
      assert.ok(endpoints.every((endpoint) => endpoint.ipAddress !== world.driver.bridge.gateway));
      const [first = newId()] = ids;
      assert.deepEqual(world.driver.reserve(first), endpoints[0]);
    });

    it('does not hand an address out again at once', async () => {
      await using world = await open();
      const id = newId();
      const { ipAddress } = world.driver.reserve(id);
      await world.driver.release(id);
      assert.notEqual(world.driver.reserve(newId()).ipAddress, ipAddress);
    });

    it('gives nothing away that a record holds after a restart', async () => {
      await using world = await open();
      const id = newId();
      const endpoint = world.driver.reserve(id);
      const driver = await world.restart();
      assert.deepEqual(driver.bridge, world.driver.bridge);
      await driver.restore(new Map([[id, endpoint]]));
      assert.deepEqual(driver.reserve(id), endpoint);
      assert.notEqual(driver.reserve(newId()).ipAddress, endpoint.ipAddress);
    });

    it('publishes nothing when nothing is asked for', async () => {
      await using world = await open();
      const id = newId();
      const endpoint = world.driver.reserve(id);
      assert.deepEqual(await world.driver.publish(id, []), endpoint);
    });

    it('publishes a free port, for one container at a time', async () => {
      await using world = await open();
      const [id, other] = [newId(), newId()];
      const { ports = [] } = await world.driver.publish(id, [anyPort]);
      const [{ hostPort } = { hostPort: 0 }] = ports;
      assert.deepEqual(ports, [{ protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPort }]);
      assert.deepEqual(world.driver.reserve(id).ports, ports);
      const same = { ...anyPort, hostPorts: { first: hostPort, last: hostPort } };
      await assert.rejects(world.driver.publish(other, [same]), {
        kind: 'conflict',
        message: `Bind for 0.0.0.0:${hostPort} failed: port is already allocated`,
      });
      await world.driver.connect({ id, pid: await world.startProcess() }, world.driver.reserve(id));
      await world.driver.release(id);
      await world.driver.publish(other, [same]);
    });

    it('keeps the ports of running containers over a restart', async () => {
      await using world = await open();
      const id = newId();
      const endpoint = await world.driver.publish(id, [anyPort]);
      const [{ hostPort } = { hostPort: 0 }] = endpoint.ports ?? [];
      const driver = await world.restart();
      await driver.restore(new Map([[id, endpoint]]));
      const same = { ...anyPort, hostPorts: { first: hostPort, last: hostPort } };
      await assert.rejects(driver.publish(newId(), [same]), /port is already allocated/);
      await driver.release(id);
      await driver.publish(newId(), [same]);
    });

    it('releases what was never reserved, and twice', async () => {
      await using world = await open();
      const id = newId();
      await world.driver.release(id);
      world.driver.reserve(id);
      await world.driver.release(id);
      await world.driver.release(id);
    });

    it('connects a process, and the same one once more after a crash', async () => {
      await using world = await open();
      const id = newId();
      const endpoint = world.driver.reserve(id);
      const pid = await world.startProcess();
      await world.driver.connect({ id, pid }, endpoint);
      await world.driver.connect({ id, pid }, endpoint);
    });

    it('connects many at the same time', async () => {
      await using world = await open();
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          const id = newId();
          await world.driver.connect({ id, pid: await world.startProcess() }, world.driver.reserve(id));
        }),
      );
    });

    it('says so when the process is gone', async () => {
      await using world = await open();
      const id = newId();
      const connected = world.driver.connect({ id, pid: 2 ** 22 }, world.driver.reserve(id));
      await assert.rejects(connected, { name: 'EngineError', message: /^failed to set up container networking: / });
    });

    it('removes nothing that is in use, and everything when it is not', async () => {
      await using world = await open();
      const id = newId();
      world.driver.reserve(id);
      await assert.rejects(world.driver.removeAll(), { kind: 'conflict', message: /has active endpoints/ });
      await world.driver.release(id);
      await world.driver.removeAll();
      await world.driver.removeAll();
    });
  });
}

const anyPort: PortRequest = { protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPorts: undefined };

function newId(): ContainerId {
  return containerId(randomBytes(32).toString('hex'));
}
