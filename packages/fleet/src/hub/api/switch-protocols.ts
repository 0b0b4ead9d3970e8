import type { Duplex } from 'node:stream';

/** Says yes to an upgrade. What is written next is spoken in `protocol`. */
export function switchProtocols(
  socket: Duplex,
  protocol: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const lines = Object.entries({ Connection: 'Upgrade', Upgrade: protocol, ...headers });
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
}
