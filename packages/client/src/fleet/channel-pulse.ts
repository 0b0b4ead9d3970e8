import { SESSION_PING_MS, SESSION_SILENT_MS } from '@fairlead/protocol/fleet';

/** Says on a quiet channel that this side is there, and notices when the other is not. */
export class ChannelPulse implements Disposable {
  #heardAt = performance.now();
  readonly #timer: NodeJS.Timeout;

  /** @param times of tests that cannot wait; `SESSION_PING_MS` and `SESSION_SILENT_MS` when absent. */
  constructor(
    pulse: { readonly ping: () => void; readonly silent: () => void },
    times: { readonly pingMs: number; readonly silentMs: number } = {
      pingMs: SESSION_PING_MS,
      silentMs: SESSION_SILENT_MS,
    },
  ) {
    this.#timer = setInterval(() => {
      if (performance.now() - this.#heardAt > times.silentMs) pulse.silent();
      else pulse.ping();
    }, times.pingMs);
    this.#timer.unref();
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
