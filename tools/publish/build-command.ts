/**
 * `make setup`: bundles the command for `bin/fairlead`, into packages/cli/dist, with a list of what it was made from.
 *
 *   node tools/publish/build-command.ts
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundleCommand } from './bundle.ts';

/** Pieces of an older bundle stay as long as a program that was started from it may want one. */
const OLD_PIECES_MS = 24 * 3600 * 1000;

/** Bundles the command of `repository` into `dist`. Another process may run it meanwhile: every file is whole at any time. */
export async function buildCommand(repository: string, dist: string): Promise<void> {
  // Before it is read: what is changed meanwhile is then taken for changed.
  const begun = Date.now();
  const lineOf = (kind: string, path: string): string => {
    const { mtimeMs, size } = statSync(join(repository, path));
    return `${kind} ${mtimeMs < begun ? mtimeMs : 0} ${size} ${path}`;
  };
  const { files } = await bundleCommand(repository, dist, ({ command, engine }) =>
    [...command.map((path) => lineOf('command', path)), ...engine.map((path) => lineOf('engine', path))].join('\n'),
  );
  mkdirSync(dist, { recursive: true });
  for (const { path, contents } of files) place(path, contents);
  const current = new Set(files.map(({ path }) => basename(path)));
  for (const name of readdirSync(dist)) {
    const path = join(dist, name);
    if (!current.has(name) && statSync(path).mtimeMs < begun - OLD_PIECES_MS) rmSync(path, { recursive: true });
  }
}

function place(path: string, contents: Uint8Array): void {
  const written = `${path}.${process.pid}`;
  writeFileSync(written, contents);
  renameSync(written, path);
}

if (import.meta.main) {
  const repository = join(import.meta.dirname, '../..');
  await buildCommand(repository, join(repository, 'packages/cli/dist'));
}
