/** Failures of one address before it has to wait. */
export const FAILURES_MAX = 10;
/** And for how long they are remembered. */
export const FAILURES_WITHIN_MS = 60_000;
/** Addresses remembered: those that failed longest ago are forgotten first. */
const ADDRESSES_MAX = 10_000;

/** Slows down whoever guesses tokens: after `FAILURES_MAX` failures an address is refused until a minute has passed. */
export class FailureLimit {
  readonly #nowMs: () => number;
  readonly #byAddress = new Map<string, { count: number; sinceMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  isRefused(address: string): boolean {
    const known = this.#byAddress.get(address);
    if (known === undefined) return false;
    if (this.#nowMs() - known.sinceMs <= FAILURES_WITHIN_MS) return known.count >= FAILURES_MAX;
    this.#byAddress.delete(address);
    return false;
  }

  failed(address: string): void {
    const known = this.#byAddress.get(address);
    if (known !== undefined && this.#nowMs() - known.sinceMs <= FAILURES_WITHIN_MS) {
      known.count += 1;
      return;
    }
    this.#byAddress.delete(address);
    this.#byAddress.set(address, { count: 1, sinceMs: this.#nowMs() });
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > ADDRESSES_MAX && oldest !== undefined) this.#byAddress.delete(oldest);
  }
}
