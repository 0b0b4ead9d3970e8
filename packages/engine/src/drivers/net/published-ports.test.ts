import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { containerId, isEngineError, type ContainerId } from '@fairlead/protocol';
import type { PortRequest, PublishedPort } from '../../core/ports/network-driver.ts';
import type { HostPort } from '../../host/port-claim.ts';
import { PortLedger } from './port-ledger.ts';
import { PublishedPorts } from './published-ports.ts';

const ADDRESS = '172.17.0.2';

function idOf(letter: string): ContainerId {
  return containerId(letter.repeat(64));
}

function request(fields: Partial<PortRequest> = {}): PortRequest {
  return { protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPorts: undefined, ...fields };
}

function only(port: number): PortRequest['hostPorts'] {
  return { first: port, last: port };
}

/** Ports of a host where programs have some already; `open` are those that we hold. */
function scene(foreign: readonly number[] = [], range = { first: 100, last: 103 }) {
  const open: HostPort[] = [];
  const ports = new PublishedPorts(range, async (port) => {
    if (foreign.includes(port.port)) throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
    open.push(port);
    return { [Symbol.asyncDispose]: async () => void open.splice(open.indexOf(port), 1) };
  });
  return { ports, open };
}

describe('PublishedPorts', () => {
  it('keeps a port that must be had from those of the same container that take any', async () => {
    const { ports } = scene();
    const wanted = [request({ hostPorts: undefined }), request({ hostPorts: only(100) })];
    const published = await ports.open(idOf('a'), wanted, ADDRESS);
    assert.deepEqual(
      published.map(({ hostPort }) => hostPort),
      [101, 100],
    );
  });

  it('takes the port asked for, and nobody else gets it until it is given back', async () => {
    const { ports, open } = scene();
    const published = await ports.open(idOf('a'), [request({ hostPorts: only(8080) })], ADDRESS);
    assert.deepEqual(published, [{ protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPort: 8080 }]);
    await assert.rejects(ports.open(idOf('b'), [request({ hostPorts: only(8080) })], ADDRESS), {
      kind: 'conflict',
      message: 'Bind for 0.0.0.0:8080 failed: port is already allocated',
    });
    assert.equal(open.length, 1);
    await ports.close(idOf('a'));
    await ports.close(idOf('a'));
    assert.equal(open.length, 0);
    await ports.open(idOf('b'), [request({ hostPorts: only(8080) })], ADDRESS);
  });

  it('says so when a program of the host has it', async () => {
    const { ports } = scene([8080]);
    await assert.rejects(ports.open(idOf('a'), [request({ hostPorts: only(8080) })], ADDRESS), {
      kind: 'conflict',
      message: 'failed to bind host port for 0.0.0.0:8080:172.17.0.2:80/tcp: address already in use',
    });
  });

  it('takes all or none', async () => {
    const { ports, open } = scene([8082]);
    const wanted = [8080, 8081, 8082].map((port) => request({ hostPorts: only(port) }));
    await assert.rejects(ports.open(idOf('a'), wanted, ADDRESS), { kind: 'conflict' });
    assert.deepEqual(open, []);
    await ports.open(idOf('b'), [request({ hostPorts: only(8081) })], ADDRESS);
  });

  it('takes the first free one of a range', async () => {
    const { ports } = scene([8000]);
    const wanted = [request({ hostPorts: { first: 8000, last: 8002 } })];
    assert.equal((await ports.open(idOf('a'), wanted, ADDRESS))[0]?.hostPort, 8001);
    assert.equal((await ports.open(idOf('b'), wanted, ADDRESS))[0]?.hostPort, 8002);
    await assert.rejects(ports.open(idOf('c'), wanted, ADDRESS), { message: 'all ports are allocated' });
  });

  it('goes round the ephemeral ones, past those in use', async () => {
    const { ports } = scene([101]);
    const take = async (letter: string): Promise<number | undefined> =>
      (await ports.open(idOf(letter), [request()], ADDRESS))[0]?.hostPort;
    assert.deepEqual([await take('a'), await take('b')], [100, 102]);
    await ports.close(idOf('a'));
    assert.deepEqual([await take('c'), await take('d')], [103, 100]);
    await assert.rejects(take('e'), { message: 'all ports are allocated' });
  });

  it('tells apart protocols and addresses, and knows that all addresses are each of them', async () => {
    const { ports } = scene();
    await ports.open(idOf('a'), [request({ hostPorts: only(53), hostAddress: '127.0.0.1' })], ADDRESS);
    await ports.open(idOf('b'), [request({ hostPorts: only(53), hostAddress: '127.0.0.2' })], ADDRESS);
    await ports.open(idOf('c'), [request({ hostPorts: only(53), protocol: 'udp' })], ADDRESS);
    await assert.rejects(ports.open(idOf('d'), [request({ hostPorts: only(53) })], ADDRESS), { kind: 'conflict' });
  });

  it('keeps what running containers have, and tells which another program took meanwhile', async () => {
    const { ports, open } = scene([8081]);
    const had = [8080, 8081].map((hostPort): PublishedPort => ({
      protocol: 'tcp',
      containerPort: 80,
      hostAddress: '0.0.0.0',
      hostPort,
    }));
    assert.deepEqual(await ports.adopt(idOf('a'), had), [had[1]]);
    assert.equal(open.length, 1);
    await assert.rejects(ports.open(idOf('b'), [request({ hostPorts: only(8081) })], ADDRESS), /already allocated/);
    await ports[Symbol.asyncDispose]();
    assert.equal(open.length, 0);
  });

  it('never gives one port to two, whatever was opened and closed at the same time', async () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd').map(idOf),
      close: fc.boolean(),
      hostPorts: fc.constantFrom(undefined, only(100), only(101), { first: 99, last: 102 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { ports, open } = scene();
        const held = new Map<ContainerId, number>();
        for (const { id, close, hostPorts } of steps) {
          if (close || held.has(id)) {
            await ports.close(id);
            held.delete(id);
            continue;
          }
          const port = await ports.open(id, [request({ hostPorts })], ADDRESS).catch((error: unknown) => {
            assert.ok(isEngineError(error));
          });
          if (port?.[0] !== undefined) held.set(id, port[0].hostPort);
        }
        assert.equal(new Set(held.values()).size, held.size);
        assert.deepEqual(new Set(open.map(({ port }) => port)), new Set(held.values()));
        assert.equal(open.length, held.size);
      }),
    );
  });
});

describe('PortLedger', () => {
  it('gives back what was never taken', () => {
    const ledger = new PortLedger();
    const place = { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 1 } as const;
    ledger.giveBack(place);
    assert.ok(ledger.take(place));
    assert.ok(!ledger.take(place));
  });
});
