import type { Duplex } from 'node:stream';
import type { ServerResponse } from 'node:http';

/** An answer that the engine never saw the question of. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 502;
  readonly message: string;
}

const REASONS: Readonly<Record<Refusal['status'], string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  502: 'Bad Gateway',
};

/** Answers in the engine's manner: Docker's clients show `message`. */
export function refuse(answer: ServerResponse, { status, message }: Refusal): void {
  const body = `${JSON.stringify({ message })}\n`;
  answer.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  answer.end(body);
}

/** How long a peer may take to hang up once it has its answer. */
const LINGER_MS = 2_000;

/** The same on a connection that no parser looks after any more. */
export function refuseUpgrade(connection: Duplex, { status, message }: Refusal): void {
  const body = `${JSON.stringify({ message })}\n`;
  connection.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  closeWhenAnswered(connection);
}

/**
 * Closes a connection whose last answer is on its way. What the peer still sends is read and dropped: closing a socket with unread
 * bytes resets it, and the answer would be lost; not reading them would hide that the peer has hung up.
 */
export function closeWhenAnswered(connection: Duplex): void {
  const late = setTimeout(() => connection.destroy(), LINGER_MS);
  connection.once('close', () => clearTimeout(late));
  // A peer that is gone already has no use for an answer, and that is all an error can tell here.
  connection.on('error', () => {});
  connection.resume();
}
