/** Where messages go. */
interface Publisher {
  publish(subject: string, payload: string, options?: { readonly reply?: string }): void;
}

interface Outgoing {
  readonly subject: string;
  readonly payload: string;
  readonly reply: string | undefined;
}

/**
 * Sends what is said within one turn of the event loop at its end, in order, in one write. A commit sets free hundreds of answers
 * at once; sent one by one each would be a system call.
 */
export class Outbox {
  readonly #publisher: Publisher;
  readonly #failed: (error: unknown) => void;
  #waiting: Outgoing[] = [];

  /** `failed` is told of what could not be sent: everything said here is asked for again. */
  constructor(publisher: Publisher, failed: (error: unknown) => void) {
    this.#publisher = publisher;
    this.#failed = failed;
  }

  send(subject: string, value: object, reply?: string): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#flush());
    this.#waiting.push({ subject, payload: JSON.stringify(value), reply });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { subject, payload, reply } of waiting) {
      try {
        this.#publisher.publish(subject, payload, reply === undefined ? {} : { reply });
      } catch (error) {
        // The others are somebody else's.
        this.#failed(error);
      }
    }
  }
}
