import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { containerId, type ContainerId } from '@fairlead/protocol';
import { networkDriverSuite, type NetworkWorld } from '../../core/ports/network-driver.suite.ts';
import { BridgeNetwork } from './bridge-network.ts';

interface BridgeWorld extends NetworkWorld {
  readonly driver: BridgeNetwork;
  readonly root: string;
  restart(): Promise<BridgeNetwork>;
  kill(pid: number): Promise<void>;
}

async function openWorld(): Promise<BridgeWorld> {
  const root = mkdtempSync(join(tmpdir(), 'net-'));
  const processes = new Map<number, ChildProcess>();
  let current = await BridgeNetwork.open({ root });
  const kill = async (pid: number): Promise<void> => {
    const child = processes.get(pid);
    processes.delete(pid);
    if (child === undefined) return;
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return {
    root,
    driver: current,
    kill,
    async restart() {
      await current[Symbol.asyncDispose]();
      current = await BridgeNetwork.open({ root });
      return current;
    },
    async startProcess() {
      const child = spawn('unshare', ['--net', 'sleep', '60'], { stdio: 'ignore' });
      await once(child, 'spawn');
      const pid = child.pid ?? 0;
      processes.set(pid, child);
      while (readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')) await delay(2);
      return pid;
    },
    async [Symbol.asyncDispose]() {
      for (const pid of [...processes.keys()]) await kill(pid);
      await current[Symbol.asyncDispose]();
      const cleaner = await BridgeNetwork.open({ root });
      await cleaner.removeAll();
      await cleaner[Symbol.asyncDispose]();
      rmSync(root, { recursive: true });
    },
  };
}

function idOf(letter: string): ContainerId {
  return containerId(letter.repeat(64));
}

function inside(pid: number, ...command: readonly string[]): string {
  return execFileSync('nsenter', [`--net=/proc/${pid}/ns/net`, ...command], { encoding: 'utf8' });
}

function pings(pid: number, address: string): boolean {
  const args = [`--net=/proc/${pid}/ns/net`, 'busybox', 'ping', '-c', '1', '-W', '2', address];
  return spawnSync('nsenter', args).status === 0;
}

const isRoot = process.getuid?.() === 0;

if (isRoot) networkDriverSuite('BridgeNetwork', openWorld);

describe('BridgeNetwork', { skip: !isRoot && 'needs root' }, () => {
  it('lets containers reach each other, the host, and what the host reaches', async () => {
    await using world = await openWorld();
    const { driver } = world;
    const [one, two] = [await world.startProcess(), await world.startProcess()];
    const endpoint = driver.reserve(idOf('a'));
    await driver.connect({ id: idOf('a'), pid: one }, endpoint);
    await driver.connect({ id: idOf('b'), pid: two }, driver.reserve(idOf('b')));
    const addresses = inside(one, 'ip', '-o', '-4', 'addr', 'show', 'dev', 'eth0');
    assert.ok(addresses.includes(` ${endpoint.ipAddress}/${endpoint.prefixLength} `), addresses);
    assert.ok(inside(one, 'ip', 'link', 'show', 'dev', 'eth0').includes(endpoint.macAddress));
    assert.match(inside(one, 'ip', 'route'), new RegExp(`^default via ${endpoint.gateway} dev eth0`, 'm'));
    assert.ok(pings(two, endpoint.ipAddress));
    assert.ok(pings(two, endpoint.gateway));
    assert.ok(pings(one, '127.0.0.1'));
  });

  it("masquerades its subnet in a table of its own, and leaves the host's others alone", async () => {
    await using world = await openWorld();
    const { bridge } = world.driver;
    const other = `fltest_${process.pid}`;
    execFileSync('nft', ['add', 'table', 'ip', other]);
    try {
      await world.driver.connect({ id: idOf('a'), pid: await world.startProcess() }, world.driver.reserve(idOf('a')));
      const rules = execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' });
      assert.ok(rules.includes(`ip saddr ${bridge.subnet} oifname != "${bridge.interfaceName}" masquerade`), rules);
      assert.ok(rules.includes(`table ip ${other} {`));
    } finally {
      execFileSync('nft', ['delete', 'table', 'ip', other]);
    }
  });

  it('leaves no interface of a container behind when its process ends', async () => {
    await using world = await openWorld();
    const endpoint = world.driver.reserve(idOf('a'));
    const pid = await world.startProcess();
    await world.driver.connect({ id: idOf('a'), pid }, endpoint);
    const pair = `/sys/class/net/flv${endpoint.endpointId.slice(0, 12)}`;
    assert.ok(existsSync(pair));
    await world.kill(pid);
    for (let attempt = 0; attempt < 200 && existsSync(pair); attempt += 1) await delay(10);
    assert.ok(!existsSync(pair));
  });

  it('starts a container again at once, while the kernel still takes down its old interface', async () => {
    await using world = await openWorld();
    for (let run = 0; run < 5; run += 1) {
      const pid = await world.startProcess();
      await world.driver.connect({ id: idOf('a'), pid }, world.driver.reserve(idOf('a')));
      assert.ok(pings(pid, world.driver.bridge.gateway));
      await world.kill(pid);
      await world.driver.release(idOf('a'));
    }
  });

  it('keeps running containers connected over a restart, and puts its rules right', async () => {
    await using world = await openWorld();
    const pid = await world.startProcess();
    const endpoint = world.driver.reserve(idOf('a'));
    await world.driver.connect({ id: idOf('a'), pid }, endpoint);
    execFileSync('nft', ['delete', 'table', 'ip', `fairlead_${world.driver.bridge.interfaceName.slice(3)}`]);
    const driver = await world.restart();
    assert.equal(driver.bridge.subnet, world.driver.bridge.subnet);
    await driver.restore(new Map([[idOf('a'), endpoint]]));
    const other = await world.startProcess();
    await driver.connect({ id: idOf('b'), pid: other }, driver.reserve(idOf('b')));
    assert.ok(pings(other, endpoint.ipAddress));
    assert.match(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }), tableOf(driver));
  });

  it('makes the bridge again when somebody removed it', async () => {
    await using world = await openWorld();
    await world.driver.connect({ id: idOf('a'), pid: await world.startProcess() }, world.driver.reserve(idOf('a')));
    execFileSync('ip', ['link', 'del', world.driver.bridge.interfaceName]);
    const pid = await world.startProcess();
    await world.driver.connect({ id: idOf('b'), pid }, world.driver.reserve(idOf('b')));
    assert.ok(pings(pid, world.driver.bridge.gateway));
  });

  it("never touches the host's own network namespace", async () => {
    await using world = await openWorld();
    const before = execFileSync('ip', ['route'], { encoding: 'utf8' });
    await assert.rejects(world.driver.connect({ id: idOf('a'), pid: process.pid }, world.driver.reserve(idOf('a'))), {
      message: `failed to set up container networking: process ${process.pid} has no network namespace of its own`,
    });
    const after = execFileSync('ip', ['route'], { encoding: 'utf8' }).split('\n');
    for (const route of before.split('\n')) if (route.startsWith('default')) assert.ok(after.includes(route));
  });

  it('has another subnet, interface and id for another root, from the moment it is opened', async () => {
    await using one = await openWorld();
    await using two = await openWorld();
    assert.notEqual(one.driver.bridge.subnet, two.driver.bridge.subnet);
    assert.notEqual(one.driver.bridge.interfaceName, two.driver.bridge.interfaceName);
    assert.notEqual(one.driver.bridge.id, two.driver.bridge.id);
  });

  it('takes the subnet and name it is given, and refuses what cannot be', async () => {
    const options = { root: '/nowhere', claimDirectory: mkdtempSync(join(tmpdir(), 'claims-')) };
    try {
      await using driver = await BridgeNetwork.open({ ...options, subnet: '10.123.0.0/24', interfaceName: 'fltest9' });
      assert.equal(driver.bridge.subnet, '10.123.0.0/24');
      assert.equal(driver.bridge.gateway, '10.123.0.1');
      assert.equal(driver.bridge.interfaceName, 'fltest9');
      await assert.rejects(BridgeNetwork.open({ ...options, subnet: '10.123.0.0/24' }), { kind: 'conflict' });
      await assert.rejects(BridgeNetwork.open({ ...options, subnet: '10.123.0.1/24' }), { kind: 'invalid-argument' });
      await assert.rejects(BridgeNetwork.open({ ...options, interfaceName: 'a name' }), { kind: 'invalid-argument' });
    } finally {
      rmSync(options.claimDirectory, { recursive: true });
    }
  });

  it('leaves nothing behind', async () => {
    const world = await openWorld();
    await world.driver.connect({ id: idOf('a'), pid: await world.startProcess() }, world.driver.reserve(idOf('a')));
    await world[Symbol.asyncDispose]();
    assert.ok(!existsSync(`/sys/class/net/${world.driver.bridge.interfaceName}`));
    assert.doesNotMatch(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }), tableOf(world.driver));
  });

  it('reaches other networks under the address of the host, also where FORWARD drops', () => {
    const fixture = new URL('test/isolated-host.ts', import.meta.url).pathname;
    const script = 'mount -t sysfs sysfs /sys && exec "$@"';
    const args = ['--net', '--mount', 'sh', '-c', script, 'sh', process.execPath, fixture];
    const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      reachesOutside: true,
      reachedFromOutside: false,
      published: {
        'the host, by loopback': true,
        'the host, by its address': true,
        'the host, at an address of its own': true,
        'a neighbour': true,
        'a neighbour, at loopback': false,
        'the container itself': true,
        'the container, at loopback': false,
        'another container': true,
      },
      afterRestart: true,
      afterRelease: false,
      mapsAfterRelease: 0,
      forwards: '1',
      exceptionsWhileInUse: 3,
      exceptionsAfterwards: 0,
    });
  });
});

function tableOf(driver: BridgeNetwork): RegExp {
  return new RegExp(`^table ip fairlead_${driver.bridge.interfaceName.slice(3)}$`, 'm');
}
