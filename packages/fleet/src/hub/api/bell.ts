/** Something happened: said by one who does not wait, heard by one who does. A ring that nobody waited for is not lost. */
export class Bell {
  #rung = Promise.withResolvers<boolean>();

  ring(): void {
    this.#rung.resolve(true);
  }

  /** Waits for a ring for at most `ms`, or until `signal` aborts; true when there was one. */
  async heard(ms: number, signal: AbortSignal): Promise<boolean> {
    const rung = this.#rung;
    const stop = (): void => rung.resolve(false);
    const timer = setTimeout(stop, ms);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    const heard = await rung.promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    this.#rung = Promise.withResolvers();
    return heard;
  }
}
