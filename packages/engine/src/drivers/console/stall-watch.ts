import type { ContainerId } from '@fairlead/protocol';
import type { Clock } from '../../core/ports/clock.ts';
import type { DescriptorHooks, DescriptorStream } from '../../host/descriptor-stream.ts';

/** How long output of an ended process is still held up by a reader that does not read. Source: Docker's drain time. */
export const STALLED_READER_MS = 2_000;

export interface StallWatchDeps {
  readonly clock: Clock;
  readonly onProcessEnd: (id: ContainerId, callback: () => void) => Disposable;
}

/**
 * Keeps one attacher that does not read from hiding a container's exit.
 *
 * conmon writes to its attachers with a blocking write: while one of them stalls, it neither collects the container's
 * process nor writes the exit file. That is the promised backpressure as long as the process runs. Once it has ended,
 * the attacher has {@link STALLED_READER_MS}; then what it has no room for is dropped.
 */
export class StallWatch implements DescriptorHooks {
  readonly #deps: StallWatchDeps;
  readonly #id: ContainerId;
  #stream: DescriptorStream | undefined;
  #waiting: Disposable | undefined;

  constructor(deps: StallWatchDeps, id: ContainerId) {
    this.#deps = deps;
    this.#id = id;
  }

  guard(stream: DescriptorStream): void {
    this.#stream = stream;
  }

  rested(): void {
    this.#waiting = this.#deps.onProcessEnd(this.#id, () => {
      this.#waiting = this.#deps.clock.after(STALLED_READER_MS, () => this.#stream?.dropOverflow());
    });
  }

  woke(): void {
    this.#waiting?.[Symbol.dispose]();
    this.#waiting = undefined;
  }
}
