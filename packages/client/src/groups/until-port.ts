import { Budget, type ContainerInspect, EngineError } from '@fairlead/protocol';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MonotonicClock } from '../deadlines/monotonic-clock.ts';
import { budgetSignal } from '../deadlines/spend-budget.ts';
import { dialSocket } from '../transport/dial-socket.ts';
import type { ClientDeps } from './group.ts';

/** Pause before the next attempt; doubles up to the maximum. */
const TRY_AGAIN_MS_MIN = 20;
const TRY_AGAIN_MS_MAX = 500;
/** A connection to a published port may be taken by a proxy before anyone listens behind it: it is cut within this. */
const PROXY_CUTS_WITHIN_MS = 100;
/** An attempt that is neither taken nor refused by then is given up, and made again. */
const ATTEMPT_MS = 2_000;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly isProxied: boolean;
}

/**
 * Resolves when a TCP port of a container takes connections: at its own address where the engine is on this machine, else at the
 * port it is published on.
 *
 * @throws EngineError 'invalid-argument' when there is no way to the port from here; the signal's reason.
 */
export async function untilPortOpen(
  deps: ClientDeps,
  wanted: { readonly container: ContainerInspect; readonly port: number },
  signal: AbortSignal,
): Promise<undefined> {
  const target = targetOf(deps.address, wanted);
  if (target === undefined) {
    const { container, port } = wanted;
    const why = 'it has no address that can be reached from here, and the port is not published';
    throw new EngineError('invalid-argument', `no way to port ${port} of "${container.Name.slice(1)}": ${why}`);
  }
  for (let pauseMs = TRY_AGAIN_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, TRY_AGAIN_MS_MAX)) {
    if (await isTaken(deps.clock, target, signal)) return undefined;
    await sleep(pauseMs, undefined, { signal });
  }
}

function targetOf(
  address: string,
  { container, port }: { readonly container: ContainerInspect; readonly port: number },
): Target | undefined {
  const isHere = address.startsWith('unix://');
  const { NetworkSettings, HostConfig } = container;
  if (isHere && HostConfig.NetworkMode === 'host') return { host: '127.0.0.1', port, isProxied: false };
  const own = Object.values(NetworkSettings.Networks ?? {}).map(({ IPAddress }) => IPAddress);
  const ip = own.find((text) => text !== '');
  if (isHere && ip !== undefined) return { host: ip, port, isProxied: false };
  const [binding] = NetworkSettings.Ports?.[`${port}/tcp`] ?? [];
  if (binding === undefined) return undefined;
  const engineHost = isHere ? '127.0.0.1' : hostOf(address);
  const isWild = ['', '0.0.0.0', '::'].includes(binding.HostIp);
  const host = isWild ? engineHost : binding.HostIp;
  return host === undefined ? undefined : { host, port: Number(binding.HostPort), isProxied: true };
}

function hostOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).hostname.replace(/^\[|\]$/g, '') : undefined;
}

async function isTaken(
  clock: MonotonicClock,
  { host, port, isProxied }: Target,
  signal: AbortSignal,
): Promise<boolean> {
  const budget = Budget.of(ATTEMPT_MS, clock.nowMs());
  using limit = budgetSignal(clock, budget, () => new Error('not taken in time'));
  const attempt = AbortSignal.any([signal, limit.signal]);
  try {
    const socket = await dialSocket({ host, port }, attempt);
    try {
      return !isProxied || (await staysOpen(socket, signal));
    } finally {
      socket.destroy();
    }
  } catch {
    // Refused, not there yet, or no answer: whatever it was, the next attempt shows what is then.
    signal.throwIfAborted();
    return false;
  }
}

async function staysOpen(socket: Socket, signal: AbortSignal): Promise<boolean> {
  const cut = new Promise<false>((resolve) => {
    for (const event of ['end', 'error', 'close']) socket.once(event, () => resolve(false));
  });
  socket.resume();
  return await Promise.race([cut, sleep(PROXY_CUTS_WITHIN_MS, true, { signal })]);
}
