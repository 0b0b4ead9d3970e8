import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as native from '../index.js';

/** A directory of its own for a test. */
export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-native-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Waits for the first event on a descriptor. */
export async function eventOn(fd: number, events: number): Promise<number> {
  const seen = Promise.withResolvers<number>();
  const poll = new native.Poll(fd, seen.resolve);
  poll.watch(events);
  const result = await seen.promise;
  poll.close();
  return result;
}

/** Waits for a started process, collects it, and closes its pidfd. */
export async function ended({
  pidfd,
}: {
  readonly pidfd: number;
}): Promise<{ readonly code: number; readonly signal: number }> {
  await eventOn(pidfd, native.READABLE);
  const end = native.reapProcess(pidfd);
  assert.throws(() => native.reapProcess(pidfd), { code: 'ECHILD' });
  native.closeDescriptor(pidfd);
  assert.ok(end !== undefined);
  return end;
}

/** What may leak. */
export function usage(): { readonly descriptors: number; readonly rssBytes: number } {
  collectGarbage();
  return { descriptors: readdirSync('/proc/self/fd').length, rssBytes: process.memoryUsage.rss() };
}

/** What is garbage is no leak; nobody need start the tests with `--expose-gc`. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}
