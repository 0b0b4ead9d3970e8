import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the hub's own nats-server listens: the agents of the measurement are on its machine and connect directly. */
export function natsUrlOf(directory: string): string {
  return `nats://127.0.0.1:${readFileSync(join(directory, 'state/nats/port'), 'utf8').trim()}`;
}
