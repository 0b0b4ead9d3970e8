import { connect, type NetConnectOpts, type Socket } from 'node:net';

/**
 * Opens a socket that stays open for reading after its own half-close, and for writing after the peer's.
 *
 * @throws the connect error as Node gives it (`code` is the errno); the signal's reason when aborted.
 */
export function dialSocket(options: NetConnectOpts, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ ...options, allowHalfOpen: true });
    const abort = (): void => {
      socket.destroy();
      settle(() => reject(signal.reason));
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const done = (): void => settle(() => resolve(socket));
    const settle = (outcome: () => void): void => {
      socket.off('error', fail).off('connect', done);
      signal.removeEventListener('abort', abort);
      outcome();
    };
    socket.once('error', fail).once('connect', done);
    signal.addEventListener('abort', abort, { once: true });
  });
}
