import type { EventEmitter } from 'node:events';

/** Resolves when one of these events comes. */
export async function oneOf(emitter: EventEmitter, events: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const event of events) emitter.on(event, resolve);
  await promise;
  for (const event of events) emitter.off(event, resolve);
}
