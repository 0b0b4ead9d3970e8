import { readFile } from 'node:fs/promises';
import { HUB_PORT_DEFAULT, HUB_SOCKET } from '@fairlead/protocol/fleet';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { text, toggle } from '../../flags/flag-types.ts';

/** Where a hub listens on the network. */
export interface ListenChoice {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly allowPlaintext: boolean;
}

/** Where a hub keeps its records, and where everybody finds it. */
export interface HubServing {
  readonly directory: string;
  readonly socket: string;
  readonly listen: ListenChoice | undefined;
}

/** Declares what every command that runs a hub has, and gives back what reads it. `stateDir` is where its records are by default. */
export function servingFlags(flags: FlagSet, stateDir: string): () => Promise<HubServing> {
  const directory = flags.add('state-dir', `Where records and keys are kept (default "${stateDir}")`, text(stateDir));
  const socket = flags.add(
    'socket',
    `Unix socket for root on this machine (default "${HUB_SOCKET}")`,
    text(HUB_SOCKET),
  );
  const listen = listenFlags(flags);
  return async () => ({ directory: directory.value, socket: socket.value, listen: await listen() });
}

/** Aborts when this process is asked to end, for the first time. */
export function untilAsked(): AbortSignal {
  const leaving = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => leaving.abort(new Error('asked to leave')));
  }
  return leaving.signal;
}

/** Declares `--listen` and what protects it, and gives back what reads them; undefined: nowhere. */
function listenFlags(flags: FlagSet): () => Promise<ListenChoice | undefined> {
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
  return async () => {
    if ((cert.value === '') !== (key.value === ''))
      throw new ExitError(EXIT_USAGE, '--tls-cert and --tls-key go together');
    if (listen.value === 'none') return undefined;
    const tls = cert.value === '' ? undefined : { cert: await readFile(cert.value), key: await readFile(key.value) };
    return { ...hostAndPort(listen.value), tls, allowPlaintext: plaintext.value };
  };
}

function hostAndPort(typed: string): { readonly host: string; readonly port: number } {
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(typed) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined || host === '') throw new ExitError(EXIT_USAGE, `--listen: not HOST:PORT: ${typed}`);
  return { host, port: Number(port) };
}
