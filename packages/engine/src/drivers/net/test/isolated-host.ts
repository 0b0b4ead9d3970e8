/**
 * A host of its own: run by a test in a fresh network namespace, with one neighbour behind a second one, and with a
 * FORWARD chain that drops, as Docker's installation leaves it. Prints what it found as JSON.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { containerId } from '@fairlead/protocol';
import type { PortRequest } from '../../../core/ports/network-driver.ts';
import { BridgeNetwork } from '../bridge-network.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';
const HOST_ADDRESS = '10.9.9.1';

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}

function inside(pid: number, ...command: readonly string[]): readonly string[] {
  return [`--net=/proc/${pid}/ns/net`, ...command];
}

function pings(pid: number, address: string): boolean {
  return spawnSync('nsenter', inside(pid, 'busybox', 'ping', '-c', '1', '-W', '1', address)).status === 0;
}

/** Whether something at this address and port says `hello`, asked from the namespace of a process. */
function greets(pid: number, address: string, port: number): boolean {
  const args = inside(pid, 'busybox', 'nc', '-w', '1', address, String(port));
  return spawnSync('nsenter', args, { encoding: 'utf8', input: '' }).stdout === 'hello\n';
}

function exceptions(): number {
  const rules = execFileSync('iptables', ['-w', '-S', 'FORWARD'], { encoding: 'utf8' }).split('\n');
  return rules.filter((rule) => rule.startsWith('-A FORWARD') && rule.includes('fairlead_')).length;
}

function mappedPorts(): number {
  return execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('elements')).length;
}

const root = mkdtempSync(join(tmpdir(), 'isolated-'));
const children = [1, 2, 3].map(() => spawn('unshare', ['--net', 'sleep', '60'], { stdio: 'ignore' }));
await Promise.all(children.map((child) => once(child, 'spawn')));
await delay(100);
const [neighbour = 0, container = 0, second = 0] = children.map((child) => child.pid ?? 0);
try {
  ip('link', 'set', 'lo', 'up');
  writeFileSync(FORWARDING, '0');
  execFileSync('iptables', ['-w', '-P', 'FORWARD', 'DROP']);
  ip('link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(neighbour));
  ip('addr', 'add', `${HOST_ADDRESS}/24`, 'dev', 'out0');
  ip('link', 'set', 'out0', 'up');
  const inNeighbour = ['addr add 10.9.9.2/24 dev eth0', 'link set lo up', 'link set eth0 up', ''].join('\n');
  execFileSync('nsenter', inside(neighbour, 'ip', '-batch', '-'), { input: inNeighbour });

  const options = { root, claimDirectory: join(root, 'claims') };
  const driver = await BridgeNetwork.open(options);
  const [id, otherId] = [containerId('c'.repeat(64)), containerId('d'.repeat(64))];
  const request = (hostAddress: string, port: number): PortRequest => ({
    protocol: 'tcp',
    containerPort: 80,
    hostAddress,
    hostPorts: { first: port, last: port },
  });
  const wanted = [request('0.0.0.0', 8080), request('127.0.0.1', 8081), request(HOST_ADDRESS, 8082)];
  const endpoint = await driver.publish(id, wanted);
  await driver.connect({ id, pid: container }, endpoint);
  await driver.connect({ id: otherId, pid: second }, driver.reserve(otherId));
  const server = spawn('nsenter', [...inside(container, 'busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'hello')]);
  children.push(server);
  for (let attempt = 0; attempt < 50 && !greets(container, '127.0.0.1', 80); attempt += 1) await delay(20);
  // The neighbour has no route to the container, so an answer means that it saw the host's address.
  const reachesOutside = pings(container, '10.9.9.2');
  const published = {
    'the host, by loopback': greets(process.pid, '127.0.0.1', 8080) && greets(process.pid, '127.0.0.1', 8081),
    'the host, by its address': greets(process.pid, HOST_ADDRESS, 8080),
    'the host, at an address of its own': greets(process.pid, HOST_ADDRESS, 8082),
    'a neighbour': greets(neighbour, HOST_ADDRESS, 8080) && greets(neighbour, HOST_ADDRESS, 8082),
    'a neighbour, at loopback': greets(neighbour, HOST_ADDRESS, 8081) || reachesLoopbackOf(neighbour, HOST_ADDRESS),
    'the container itself': greets(container, HOST_ADDRESS, 8080),
    'the container, at loopback':
      greets(second, driver.bridge.gateway, 8081) || reachesLoopbackOf(second, driver.bridge.gateway),
    'another container': greets(second, HOST_ADDRESS, 8080) && greets(second, driver.bridge.gateway, 8080),
  };
  execFileSync('nsenter', inside(neighbour, 'ip', 'route', 'add', driver.bridge.subnet, 'via', HOST_ADDRESS));
  const reachedFromOutside = pings(neighbour, endpoint.ipAddress);
  const forwards = readFileSync(FORWARDING, 'utf8').trim();
  const exceptionsWhileInUse = exceptions();
  await driver[Symbol.asyncDispose]();
  execFileSync('nft', ['flush', 'ruleset']);
  execFileSync('iptables', ['-w', '-P', 'FORWARD', 'DROP']);
  const again = await BridgeNetwork.open(options);
  await again.restore(new Map([[id, endpoint]]));
  const afterRestart = greets(neighbour, HOST_ADDRESS, 8080);
  await again.release(id);
  const afterRelease = greets(neighbour, HOST_ADDRESS, 8080);
  const mapsAfterRelease = mappedPorts();
  await again.removeAll();
  await again[Symbol.asyncDispose]();
  const found = {
    reachesOutside,
    reachedFromOutside,
    published,
    afterRestart,
    afterRelease,
    mapsAfterRelease,
    forwards,
    exceptionsWhileInUse,
    exceptionsAfterwards: exceptions(),
  };
  process.stdout.write(JSON.stringify(found));
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}

/** Whether somebody who sends packets for 127.0.0.1 to the host gets to a port that is published there. */
function reachesLoopbackOf(pid: number, via: string): boolean {
  const allow = 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo 2>/dev/null';
  spawnSync('nsenter', inside(pid, 'sh', '-c', `${allow}; ip route add 127.0.0.1/32 via ${via}`));
  return greets(pid, '127.0.0.1', 8081);
}
