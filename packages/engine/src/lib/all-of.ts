/**
 * As `Promise.all`, but comes to an end only with the last of them: nothing goes on behind the back of whoever cleans up after the
 * first that failed, in their order, whose reason is thrown.
 */
export async function allOf<T extends readonly unknown[]>(work: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
  return await Promise.all(work);
}
