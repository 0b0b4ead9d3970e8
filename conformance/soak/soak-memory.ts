import type { Holdings, Memory, SoakEngine } from './soak-engine.ts';

/** What a warm engine may hold more at its last rests than at its first ones: code is still compiled, tables of names grow. */
const LIVE_GROWTH_BYTES_MAX: number = 4 * 1024 * 1024;
/**
 * The same of what is resident at rest, when V8 has given its free pages back. Measured over twenty minutes: 11 MiB, 8 of them right
 * after the warm-up, when the allocators have seen every kind of work once.
 */
const RESIDENT_GROWTH_BYTES_MAX: number = 20 * 1024 * 1024;
/** In the middle of it all, with the pages that V8 keeps for the next busy moment. Measured: 160 to 300 MiB. */
const RESIDENT_BYTES_MAX: number = 500 * 1024 * 1024;
const SAMPLE_MS = 1_000;
/** Between two samples that are told. */
const SAMPLES_UNTOLD = 30;

/**
 * What has grown from rest to rest. What is compared is the least of the first and of the last third: a leak lifts the least, too,
 * while a busy moment that is not quite over lifts one reading.
 */
export function growth(rests: readonly Memory[]): readonly string[] {
  const live = grownBytes(rests.map(({ heapUsed, external }) => heapUsed + external));
  const resident = grownBytes(rests.map(({ rss }) => rss));
  return [
    ...(live > LIVE_GROWTH_BYTES_MAX ? [`what is alive at rest grew by ${mebibytes(live)}`] : []),
    ...(resident > RESIDENT_GROWTH_BYTES_MAX ? [`what is resident at rest grew by ${mebibytes(resident)}`] : []),
  ];
}

function grownBytes(readings: readonly number[]): number {
  const third = Math.ceil(readings.length / 3);
  return Math.min(...readings.slice(-third)) - Math.min(...readings.slice(0, third));
}

/** For people, in one line. */
export function memoryWords({ memory }: Holdings): string {
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = memory;
  return `at rest: heap ${mebibytes(heapUsed)} of ${mebibytes(heapTotal)}, external ${mebibytes(external)} (buffers ${mebibytes(arrayBuffers)}), resident ${mebibytes(rss)}`;
}

/** How much of the engine was in memory, second by second. */
export class ResidentMemory implements Disposable {
  #peakBytes = 0;
  #samples = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(engine: SoakEngine) {
    this.#timer = setInterval(() => {
      const bytes = engine.residentBytes();
      this.#peakBytes = Math.max(this.#peakBytes, bytes);
      this.#samples += 1;
      if (this.#samples % SAMPLES_UNTOLD !== 0) return;
      const facts = `resident ${mebibytes(bytes)}, ${engine.descriptors()} descriptors`;
      console.log(`  after ${(this.#samples * SAMPLE_MS) / 1000} s: ${facts}`);
    }, SAMPLE_MS);
  }

  wrong(): readonly string[] {
    return this.#peakBytes > RESIDENT_BYTES_MAX ? [`${mebibytes(this.#peakBytes)} were resident`] : [];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** For people. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
