import { readFile } from 'node:fs/promises';
import { HUB_PORT_DEFAULT, HUB_SOCKET } from '@fairlead/protocol/fleet';
import type { Command } from '../../command.ts';
import { noArguments } from '../../command.ts';
import { ExitError, EXIT_USAGE } from '../../exit-codes.ts';
import { integer, list, text, toggle } from '../../flags/flag-types.ts';

/** Where a hub keeps its records and keys. */
const STATE_DIR = '/var/lib/fairlead/hub';

/** `fairlead hub`: commands a fleet. The fleet is loaded only when asked for. */
export const hubCommand: Command = {
  name: 'hub',
  usage: '[OPTIONS]',
  summary: 'Run a fleet’s hub until SIGTERM; what it has accepted is there again at its next start',
  args: noArguments,
  define(flags) {
    const stateDir = flags.add(
      'state-dir',
      `Where records and keys are kept (default "${STATE_DIR}")`,
      text(STATE_DIR),
    );
    const socket = flags.add(
      'socket',
      `Unix socket for root on this machine (default "${HUB_SOCKET}")`,
      text(HUB_SOCKET),
    );
    const listen = flags.add(
      'listen',
      `Where everybody else connects, HOST:PORT; "none" for nowhere (default "127.0.0.1:${HUB_PORT_DEFAULT}")`,
      text(`127.0.0.1:${HUB_PORT_DEFAULT}`),
    );
    const cert = flags.add('tls-cert', 'Certificate chain to serve with, a PEM file', text());
    const key = flags.add('tls-key', 'Its private key, a PEM file', text());
    const plaintext = flags.add(
      'allow-plaintext',
      'Listen beyond loopback without TLS: something else protects it',
      toggle(),
    );
    const nats = flags.add(
      'nats',
      'Use this NATS cluster, may be repeated (default: a nats-server of its own)',
      list(),
    );
    const replicas = flags.add(
      'nats-replicas',
      'Copies of queued commands in that cluster: 1, 3 or 5 (default 1)',
      integer(),
    );
    return async (context) => {
      const { jsonLinesLog, startHub } = await import('@fairlead/fleet');
      if ((cert.value === '') !== (key.value === ''))
        throw new ExitError(EXIT_USAGE, '--tls-cert and --tls-key go together');
      const tls = cert.value === '' ? undefined : { cert: await readFile(cert.value), key: await readFile(key.value) };
      const leaving = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => leaving.abort());
      await using hub = await startHub(
        {
          directory: stateDir.value,
          socket: socket.value,
          listen:
            listen.value === 'none'
              ? undefined
              : { ...hostAndPort(listen.value), tls, allowPlaintext: plaintext.value },
          nats: nats.value.length === 0 ? undefined : { urls: nats.value, replicas: replicas.value ?? 1 },
          log: jsonLinesLog((line) => void context.err(line.trimEnd())),
        },
        leaving.signal,
      );
      await context.out(
        `hub: ${[hub.url, `unix://${socket.value}`].filter((where) => where !== undefined).join(' and ')}\n`,
      );
      await Promise.race([aborted(leaving.signal), hub.failed]);
      return 0;
    };
  },
};

function hostAndPort(typed: string): { readonly host: string; readonly port: number } {
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(typed) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined || host === '') throw new ExitError(EXIT_USAGE, `--listen: not HOST:PORT: ${typed}`);
  return { host, port: Number(port) };
}

async function aborted(signal: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  if (signal.aborted) done.resolve();
  signal.addEventListener('abort', () => done.resolve(), { once: true });
  await done.promise;
}
