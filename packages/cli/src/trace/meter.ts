/** Moved bytes are told at most this often, and less often the longer something lasts: a share of its age. */
const MOVED_EVERY_MS = 250;
const MOVED_EVERY_SHARE = 0.05;

/** Sums up bytes, so that a long stream is some lines and not thousands. */
export class Meter {
  #bytes = 0;
  #exchange = 0;
  #sinceMs: number | undefined;

  add(bytes: number, exchange: number): void {
    this.#bytes += bytes;
    this.#exchange = exchange;
  }

  forget(): void {
    this.#bytes = 0;
    this.#sinceMs = undefined;
  }

  due(now: {
    readonly atMs: number;
    readonly ageMs: number;
    readonly all: boolean;
  }): { readonly exchange: number; readonly bytes: number } | undefined {
    if (this.#bytes === 0) return undefined;
    this.#sinceMs ??= now.atMs;
    const everyMs = Math.max(MOVED_EVERY_MS, now.ageMs * MOVED_EVERY_SHARE);
    if (!now.all && now.atMs - this.#sinceMs < everyMs) return undefined;
    const due = { exchange: this.#exchange, bytes: this.#bytes };
    this.forget();
    return due;
  }
}
