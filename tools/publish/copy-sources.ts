/** Copies the sources of a package as they are published: without its tests, and without what only they use. */
import { cpSync } from 'node:fs';

const STAYS = /\.(test|suite|bench|fixture)\.ts$|\/testing\.ts$/;

/** Copies those in `from` to `to`. */
export function copySources(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !STAYS.test(path) });
}
