// Builds the addon and the helper programs, one call of the C compiler each, when a source changed; `--force` builds in
// any case.
// Why not node-gyp: docs/adr/0002-native-addon.md.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const here = import.meta.dirname;
const outDir = join(here, 'build', 'Release');
const output = join(outDir, 'fairlead_native.node');
const stamp = join(outDir, 'stamp');

const sources = sourcesOf(join(here, 'src'));
// One program per file, or per directory.
const programs = readdirSync(join(here, 'programs'))
  .toSorted()
  .map((name) => ({
    sources: sourcesOf(join(here, 'programs', name)),
    output: join(outDir, name.replace(/\.c$/, '')),
  }));
const flags = [
  '-std=gnu11',
  '-O2',
  '-g',
  '-fPIC',
  '-shared',
  '-pthread',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Wno-unused-result',
  '-Wl,-z,relro,-z,now',
];

/** What a program, or the addon, is made of, its headers too: they are no part of the compiler's call, but of what may change. */
function sourcesOf(path: string): readonly string[] {
  if (path.endsWith('.c')) return [path];
  const names = readdirSync(path).toSorted();
  return names.filter((name) => /\.[ch]$/.test(name)).map((name) => join(path, name));
}

const isUnit = (source: string): boolean => source.endsWith('.c');

/** Where a Node of any version keeps its headers: node_api.h and uv.h are the same promise in all of them. */
function headerDirectories(): readonly string[] {
  const ofNodedir = process.env['npm_config_nodedir'];
  return [
    ...(ofNodedir ? [join(ofNodedir, 'include', 'node')] : []),
    join(dirname(process.execPath), '..', 'include', 'node'),
    '/usr/include/node',
    '/usr/local/include/node',
    '/usr/include/nodejs/src',
  ];
}

function fail(message: string): never {
  process.stderr.write(`fairlead native addon: ${message}\n`);
  process.exit(1);
}

if (process.platform !== 'linux') fail('only Linux has what it calls');
const include = headerDirectories().find(
  (directory) => existsSync(join(directory, 'node_api.h')) && existsSync(join(directory, 'uv.h')),
);
if (include === undefined) {
  fail(
    `no Node headers (node_api.h, uv.h) in ${headerDirectories().join(', ')}.\n` +
      'Install them (Debian: apt-get install libnode-dev; NodeSource and nodejs.org packages bring them along), or name a Node\n' +
      'installation that has them: npm_config_nodedir=/path/to/node npm run build -w native',
  );
}

const compiler = process.env['CC'] ?? 'cc';
const programFlags = ['-std=gnu11', '-O2', '-g', '-Wall', '-Wextra'];
const hash = createHash('sha256').update(JSON.stringify([compiler, flags, programFlags, include]));
for (const source of [...sources, ...programs.flatMap((program) => program.sources)]) hash.update(readFileSync(source));
const wanted = hash.digest('hex');
const outputs = [output, ...programs.map((program) => program.output)];
const upToDate = outputs.every(existsSync) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;

/** Programs start a quarter of a millisecond sooner without shared libraries; not every system has the static ones. */
function linkFlags(): readonly string[] {
  const library = execFileSync(compiler, ['-print-file-name=libc.a'], { encoding: 'utf8' }).trim();
  return existsSync(library) ? ['-static'] : ['-Wl,-z,relro,-z,now'];
}

/** Compiles into a file of its own and renames: a running process may have the old one mapped. */
function compile(into: string, args: readonly string[]): void {
  const fresh = `${into}.${process.pid}`;
  try {
    execFileSync(compiler, [...args, '-o', fresh], { stdio: 'inherit' });
  } catch (error) {
    fail(
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? `no C compiler "${compiler}" (Debian: apt-get install gcc)`
        : 'the compiler failed, see above',
    );
  }
  renameSync(fresh, into);
}

if (!upToDate || process.argv.includes('--force')) {
  mkdirSync(outDir, { recursive: true });
  compile(output, [...flags, '-I', include, ...sources.filter(isUnit)]);
  const link = linkFlags();
  for (const program of programs)
    compile(program.output, [...programFlags, ...link, ...program.sources.filter(isUnit)]);
  writeFileSync(stamp, wanted);
}
