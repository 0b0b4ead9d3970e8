/** Lets one piece of work in, and refuses others until it is done. */
export class OneAtATime {
  readonly #refusal: () => Error;
  #busy = false;

  /** @param refusal what those who come meanwhile are told */
  constructor(refusal: () => Error) {
    this.#refusal = refusal;
  }

  /** @throws the refusal while other work is under way; else what `work` throws. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw this.#refusal();
    this.#busy = true;
    try {
      return await work();
    } finally {
      this.#busy = false;
    }
  }
}
