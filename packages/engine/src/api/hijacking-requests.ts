import type { IncomingMessage } from 'node:http';
import { http } from './node-http.ts';

/**
 * Node's parser asks a request whether it is an upgrade, and stops behind the head if so.
 *
 * Those whose endpoint hijacks all say yes, also without an `Upgrade` header: else the input that follows the body, in the same packet
 * even, would be taken for the next request. All others say no, whatever they ask for (`Upgrade: h2c`), as with Docker.
 */
export function hijackingRequests(isHijack: (request: IncomingMessage) => boolean): typeof IncomingMessage {
  return class extends http.IncomingMessage {
    get upgrade(): boolean {
      return this.method === 'CONNECT' || isHijack(this);
    }
    set upgrade(_value: boolean) {
      // Node writes down what the headers say; the route decides.
    }
  };
}
