import { randomBytes } from 'node:crypto';
import type { FleetActor } from '@fairlead/protocol/fleet';

/** A browser opens its WebSocket at once when it has a ticket. */
export const TICKET_MS = 30_000;
/** Tickets that wait for their WebSocket: the oldest is forgotten first. */
const TICKETS_MAX = 10_000;

/** Who may join which session, and how. */
export interface SessionTicket {
  readonly actor: FleetActor;
  readonly sessionId: string;
  /** What joins it at the agent. */
  readonly tokenHash: string;
  readonly write: boolean;
}

/** What a browser joins a session with, because its WebSocket carries no headers of its own: each works once, and soon. */
export class SessionTickets {
  readonly #nowMs: () => number;
  readonly #waiting = new Map<string, { readonly ticket: SessionTicket; readonly untilMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** @returns the words that `redeem` takes. */
  issue(ticket: SessionTicket): string {
    const words = randomBytes(24).toString('base64url');
    this.#waiting.set(words, { ticket, untilMs: this.#nowMs() + TICKET_MS });
    for (const [oldest, { untilMs }] of this.#waiting) {
      if (untilMs >= this.#nowMs() && this.#waiting.size <= TICKETS_MAX) break;
      this.#waiting.delete(oldest);
    }
    return words;
  }

  /** Undefined: it was used, it is too old, or it is none. */
  redeem(words: string): SessionTicket | undefined {
    const found = this.#waiting.get(words);
    this.#waiting.delete(words);
    return found !== undefined && this.#nowMs() <= found.untilMs ? found.ticket : undefined;
  }
}
