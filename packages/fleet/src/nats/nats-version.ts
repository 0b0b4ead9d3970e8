import { isIP } from 'node:net';
import { EngineError } from '@fairlead/protocol';

/**
 * The first versions without the CVEs that a stranger can use who reaches a nats-server over the network, per line of
 * releases. Source: nats.io security advisories; docs/fleet.md.
 */
const SAFE_ON_A_NETWORK: readonly (readonly [number, number, number])[] = [
  [2, 11, 16],
  [2, 12, 7],
];

/** The oldest server that has what the fleet uses. Everything was tried against it. */
const OLDEST: readonly [number, number, number] = [2, 9, 0];

const VERSION = /(\d+)\.(\d+)\.(\d+)/;

/** A nats-server's version out of `nats-server: v2.9.10` or of its INFO. @throws EngineError 'unavailable' when there is none, or it is too old. */
export function natsVersion(text: string): string {
  const found = VERSION.exec(text);
  if (found === null) throw new EngineError('unavailable', `not a version of nats-server: ${text.slice(0, 80)}`);
  if (compare(numbers(found[0]), OLDEST) < 0) {
    throw new EngineError(
      'unavailable',
      `nats-server ${found[0]} is too old: the fleet needs ${OLDEST.join('.')} or newer`,
    );
  }
  return found[0];
}

/** True when strangers may reach a server of this version. */
export function isSafeOnNetwork(version: string): boolean {
  const [major, minor, patch] = numbers(version);
  const line = SAFE_ON_A_NETWORK.find((safe) => safe[0] === major && safe[1] === minor);
  if (line !== undefined) return patch >= line[2];
  const newest = SAFE_ON_A_NETWORK.at(-1) ?? OLDEST;
  return compare([major, minor, patch], newest) > 0;
}

/** @throws EngineError 'forbidden' when a server of this version would be reached from other machines at `host`. */
export function refuseUnsafeListener(version: string, host: string): void {
  if (isLoopback(host) || isSafeOnNetwork(version)) return;
  const needed = SAFE_ON_A_NETWORK.map((safe) => safe.join('.')).join(' or ');
  throw new EngineError(
    'forbidden',
    `nats-server ${version} has published holes and may not be reached from other machines (${host}): use loopback, or ${needed} and newer`,
  );
}

/** True for an address that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (bare === 'localhost' || bare === '::1') return true;
  return isIP(bare) === 4 && bare.startsWith('127.');
}

function numbers(version: string): readonly [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return [major, minor, patch];
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
