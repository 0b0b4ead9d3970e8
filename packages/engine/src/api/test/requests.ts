import { containerEndpoints, systemEndpoints } from '@fairlead/protocol';
import { Hangup } from '../hangup.ts';
import { route, type Route } from '../route.ts';

/** Answers at once. */
export const ping: Route = route(systemEndpoints.ping, async () => ({ kind: 'text', text: 'OK' }));
export const pingHead: Route = route(systemEndpoints.pingHead, async () => ({ kind: 'empty' }));

export function get(path: string, ...headers: readonly string[]): string {
  return (
    ['GET', path, 'HTTP/1.1\r\nHost: x\r\n'].join(' ') + headers.map((header) => `${header}\r\n`).join('') + '\r\n'
  );
}

export function post(path: string, body = '', type = 'application/json'): string {
  const contentType = body === '' ? '' : `Content-Type: ${type}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: x\r\n${contentType}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** A stop that waits until it is told to answer. */
export function slowStop(): { readonly stop: Route; readonly answer: () => void; readonly begun: Promise<void> } {
  const told = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const stop = route(containerEndpoints.stop, async () => {
    begun.resolve();
    await told.promise;
    return { kind: 'empty' };
  });
  return { stop, answer: told.resolve, begun: begun.promise };
}

/** A wait that ends with the hang-up. */
export const endlessWait: Route = route(containerEndpoints.wait, async ({ hangup }) => ({
  kind: 'json-stream',
  items: (async function* () {
    await new Promise((resolve) => hangup.addEventListener('abort', resolve, { once: true }));
    yield { StatusCode: -1, Error: { Message: hangup.reason instanceof Hangup ? hangup.reason.by : 'odd' } };
  })(),
}));
