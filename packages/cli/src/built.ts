#!/usr/bin/env node
/**
 * Where the built form of the command begins: `tools/publish` makes `dist/main.js` of it. In a checkout that form is used as long as
 * every source it was made from is what it was; else the sources themselves are run, which takes longer and is never wrong.
 */
import { statSync } from 'node:fs';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Every source as it was when it was read, put in by the bundler: `KIND MTIME_MS SIZE_BYTES PATH` a line. Empty in what is published:
 * there are no sources beside it.
 */
declare const SOURCES: string;

/** Those that are no engine and start none in this process: who runs them a hundred times does not want every source of it looked at. */
const COMMAND_ALONE: ReadonlySet<string | undefined> = new Set(
  '--version create exec images inspect kill logs ps restart rm run start stop version wait'.split(' '),
);

const dist = import.meta.dirname;

// npm only warns when it installs for a Node that is too old.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(`fairlead: Node ${process.version} is too old, 24.12 is needed\n`);
  process.exit(1);
}

if (isStale()) {
  await import(join(dist, '../src/main.ts'));
} else {
  // Not Node's own choice, which is a directory that everyone may write to.
  if (getCompileCacheDir() === undefined) {
    enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'fairlead'));
  }
  await import('./main.ts');
}

function isStale(): boolean {
  const withEngine = !COMMAND_ALONE.has(process.argv[2]);
  return SOURCES.split('\n').some((line) => {
    const [kind, mtimeMs, sizeBytes, path = ''] = line.split(' ');
    if (path === '' || (kind === 'engine' && !withEngine)) return false;
    const found = statSync(join(dist, '../../..', path), { throwIfNoEntry: false });
    return found === undefined || found.mtimeMs !== Number(mtimeMs) || found.size !== Number(sizeBytes);
  });
}
