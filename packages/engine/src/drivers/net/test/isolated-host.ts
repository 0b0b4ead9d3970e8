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
import { BridgeNetwork } from '../bridge-network.ts';

const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

function ip(...args: readonly string[]): void {
  execFileSync('ip', args);
}

function pings(pid: number, address: string): boolean {
  const args = [`--net=/proc/${pid}/ns/net`, 'busybox', 'ping', '-c', '1', '-W', '1', address];
  return spawnSync('nsenter', args).status === 0;
}

function exceptions(): number {
  const rules = execFileSync('iptables', ['-w', '-S', 'FORWARD'], { encoding: 'utf8' }).split('\n');
  return rules.filter((rule) => rule.startsWith('-A FORWARD') && rule.includes('fairlead_')).length;
}

const root = mkdtempSync(join(tmpdir(), 'isolated-'));
const children = [1, 2].map(() => spawn('unshare', ['--net', 'sleep', '60'], { stdio: 'ignore' }));
await Promise.all(children.map((child) => once(child, 'spawn')));
await delay(100);
const [neighbour = 0, container = 0] = children.map((child) => child.pid ?? 0);
try {
  ip('link', 'set', 'lo', 'up');
  writeFileSync(FORWARDING, '0');
  execFileSync('iptables', ['-w', '-P', 'FORWARD', 'DROP']);
  ip('link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(neighbour));
  ip('addr', 'add', '10.9.9.1/24', 'dev', 'out0');
  ip('link', 'set', 'out0', 'up');
  const inNeighbour = ['addr add 10.9.9.2/24 dev eth0', 'link set eth0 up', ''].join('\n');
  execFileSync('nsenter', [`--net=/proc/${neighbour}/ns/net`, 'ip', '-batch', '-'], { input: inNeighbour });

  const driver = await BridgeNetwork.open({ root, claimDirectory: join(root, 'claims') });
  const id = containerId('c'.repeat(64));
  const endpoint = driver.reserve(id);
  await driver.connect({ id, pid: container }, endpoint);
  // The neighbour has no route to the container, so an answer means that it saw the host's address.
  const reachesOutside = pings(container, '10.9.9.2');
  execFileSync('nsenter', [
    `--net=/proc/${neighbour}/ns/net`,
    'ip',
    'route',
    'add',
    driver.bridge.subnet,
    'via',
    '10.9.9.1',
  ]);
  const reachedFromOutside = pings(neighbour, endpoint.ipAddress);
  const forwards = readFileSync(FORWARDING, 'utf8').trim();
  const exceptionsWhileInUse = exceptions();
  await driver.release(id);
  await driver.removeAll();
  await driver[Symbol.asyncDispose]();
  const found = {
    reachesOutside,
    reachedFromOutside,
    forwards,
    exceptionsWhileInUse,
    exceptionsAfterwards: exceptions(),
  };
  process.stdout.write(JSON.stringify(found));
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true, force: true });
}
