import type { Duplex } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { closeWhenAnswered } from '../../lib/close-when-answered.ts';

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

/** The same on a connection that no parser looks after any more. */
export function refuseUpgrade(connection: Duplex, { status, message }: Refusal): void {
  const body = `${JSON.stringify({ message })}\n`;
  connection.end(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  closeWhenAnswered(connection);
}
