import type { ProgressMessage } from '@fairlead/protocol';
import { buildStep, layerPhase } from './progress-words.ts';

/** How far a pull, push, load or build is. */
export interface TransferProgress {
  /** 0 to 100, never less than before; 100 only after the engine has said that it is done. */
  readonly percent: number;
  /** What the engine said; undefined for the last one, which it does not say. */
  readonly message: ProgressMessage | undefined;
}

interface Layer {
  /** 0 to 1. */
  readonly done: number;
  /** Undefined until the engine says. */
  readonly totalBytes: number | undefined;
}

/** Not yet done: nobody sees 100 before it is. */
const UNFINISHED_PERCENT_MAX = 99;
/** As in the engine's own bars. A registry cannot say more layers than that of one image. */
const LAYERS_MAX = 10_000;

/**
 * Makes one figure of what an engine says about many layers.
 *
 * A layer counts by its size; one whose size is not known yet counts as the average of the others. When new layers or sizes turn up the
 * figure stands still until the rest has caught up.
 */
export class ProgressMeter {
  readonly #layers = new Map<string, Layer>();
  #percent = 0;

  /** What the figure is after this line. */
  take(message: ProgressMessage): TransferProgress {
    this.#note(message);
    const share = buildStep(message) ?? this.#share();
    const percent = Math.min(UNFINISHED_PERCENT_MAX, Math.floor(share * 100));
    this.#percent = Math.max(this.#percent, percent);
    return { percent: this.#percent, message };
  }

  #note(message: ProgressMessage): void {
    const { id = '', progressDetail } = message;
    const phase = layerPhase(message);
    if (phase === undefined) return;
    const before = this.#layers.get(id);
    if (before === undefined && this.#layers.size >= LAYERS_MAX) return;
    const { current = 0, total = 0 } = progressDetail ?? {};
    const moved = total > 0 ? Math.min(1, Math.max(0, current / total)) : 0;
    const done = phase.from + (phase.to - phase.from) * moved;
    // The total of an extraction is that of the same download; a push may say none.
    const totalBytes = total > 0 ? (before?.totalBytes ?? total) : before?.totalBytes;
    this.#layers.set(id, { done: Math.max(done, before?.done ?? 0), totalBytes });
  }

  #share(): number {
    const layers = [...this.#layers.values()];
    const sizes = layers.flatMap(({ totalBytes }) => (totalBytes === undefined ? [] : [totalBytes]));
    const average = sizes.length === 0 ? 1 : sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    const weight = ({ totalBytes = average }: Layer): number => totalBytes;
    const all = layers.reduce((sum, layer) => sum + weight(layer), 0);
    return all === 0 ? 0 : layers.reduce((sum, layer) => sum + weight(layer) * layer.done, 0) / all;
  }
}
