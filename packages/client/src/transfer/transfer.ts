import { EngineError, type ProgressMessage } from '@fairlead/protocol';
import { TransferFailedError } from '../errors.ts';
import type { TransferProgress } from './progress-meter.ts';

/** How a transfer is begun, and what is made of what the engine says. */
export interface TransferPlan<R> {
  /** Asks the engine. Breaking off the iteration ends the transfer. */
  readonly open: () => AsyncIterable<ProgressMessage>;
  /** Looks at every line for the result. */
  readonly take: (message: ProgressMessage) => void;
  /** After the last line. */
  readonly result: () => R;
}

/**
 * A pull, push, load, import or build. Nothing is asked before it is awaited or iterated.
 *
 * `await` it for the result, or iterate it for the progress and `await` it afterwards. Breaking off the iteration, or the signal's abort,
 * ends the transfer in the engine as well.
 * @throws TransferFailedError for a failure that the engine tells in the middle; everything a call throws.
 */
export class Transfer<R> implements AsyncIterable<TransferProgress>, PromiseLike<R> {
  readonly #operation: string;
  readonly #prepare: () => Promise<TransferPlan<R>>;
  readonly #end = Promise.withResolvers<R>();
  #started = false;

  /** `prepare` is called once, when it begins: what transfers need is loaded by those who transfer. */
  constructor(operation: string, prepare: () => Promise<TransferPlan<R>>) {
    this.#operation = operation;
    this.#prepare = prepare;
    // Whoever iterates is told of a failure there, and need not await the result.
    this.#end.promise.catch(() => {});
  }

  // oxlint-disable-next-line unicorn/no-thenable -- `await` is what a caller without interest in the progress writes
  then<A = R, B = never>(
    onResult?: ((result: R) => A | PromiseLike<A>) | null,
    onFailure?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    // The result tells of a failure.
    if (!this.#started) drain(this).catch(() => {});
    return this.#end.promise.then(onResult, onFailure);
  }

  /** Once only. @throws EngineError 'invalid-argument' the second time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TransferProgress, void, undefined> {
    const operation = this.#operation;
    if (this.#started) throw new EngineError('invalid-argument', `${operation}: is under way already`);
    this.#started = true;
    try {
      const { open, take, result } = await this.#prepare();
      const { ProgressMeter } = await import('./progress-meter.ts');
      const meter = new ProgressMeter();
      for await (const message of open()) {
        const failure = message.errorDetail?.message ?? message.error;
        if (failure !== undefined) throw new TransferFailedError(failure, operation, message.errorDetail?.code);
        take(message);
        yield meter.take(message);
      }
      this.#end.resolve(result());
      yield { percent: 100, message: undefined };
    } catch (error) {
      this.#end.reject(error);
      throw error;
    } finally {
      // Changes nothing unless the iteration was broken off.
      this.#end.reject(new EngineError('unavailable', `${operation}: was broken off`));
    }
  }
}

async function drain(progress: AsyncIterable<TransferProgress>): Promise<void> {
  for await (const _ of progress);
}
