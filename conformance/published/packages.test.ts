import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { busyboxImage, dockerArchive } from '@fairlead/testkit';
import { eventually } from '../eventually.ts';
import { clientKinds, EngineUnderTest } from '../engines.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const MODULES = join(REPOSITORY, 'node_modules');
/** Of the client with all it needs to talk to an engine, bundled and minified. The way through a hub is loaded when it is asked for. */
const CLIENT_BYTES_MAX = 100_000;
/** Of one small thing of it: what is left out is the rest. Measured: 16 KB, most of it the table of endpoints. */
const ONE_THING_BYTES_MAX = 24_000;

/** A project of somebody else's, outside of this repository: nothing but the tarballs is installed in it. */
let project = '';

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What esbuild knows of a file that it wrote. */
interface Output {
  readonly bytes: number;
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}

/** Bytes of a program of one line in one file with everything that it imports, minified. */
function bundledBytes(code: string): number {
  writeFileSync(join(project, 'bundled.mjs'), code);
  const options = ['--bundle', '--minify', '--platform=node', '--format=esm'];
  return Buffer.byteLength(run(join(MODULES, '.bin/esbuild'), 'bundled.mjs', ...options));
}

/** Bytes that it loads when it starts, in a bundle that keeps apart what is loaded later. */
function bytesAtStart(code: string): number {
  writeFileSync(join(project, 'bundled.mjs'), code);
  const options = ['--bundle', '--minify', '--platform=node', '--format=esm', '--splitting'];
  run(join(MODULES, '.bin/esbuild'), 'bundled.mjs', ...options, '--outdir=bundled', '--metafile=bundled.json');
  const { outputs } = JSON.parse(readFileSync(join(project, 'bundled.json'), 'utf8')) as {
    outputs: Readonly<Record<string, Output>>;
  };
  const loaded = new Set(['bundled/bundled.js']);
  for (const path of loaded) {
    const imported = outputs[path]?.imports.filter(({ kind }) => kind === 'import-statement') ?? [];
    for (const one of imported) loaded.add(one.path);
  }
  return [...loaded].reduce((sum, path) => sum + (outputs[path]?.bytes ?? 0), 0);
}

/** Whether a process is there, and not only its exit code. */
function runs(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, 'utf8'));
}

describe('the published packages', () => {
  before(() => {
    const home = mkdtempSync(join(tmpdir(), 'published-'));
    const tarballs = join(home, 'tarballs');
    project = join(home, 'project');
    mkdirSync(tarballs);
    mkdirSync(project);
    execFileSync(process.execPath, [join(REPOSITORY, 'tools/publish/build-packages.ts'), tarballs]);
    execFileSync('npm', ['pack', '--silent', '--pack-destination', tarballs, join(MODULES, 'valibot')]);
    const files = readdirSync(tarballs).map((name) => join(tarballs, name));
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'consumer', type: 'module' }));
    copyFileSync(join(import.meta.dirname, 'consumer.ts'), join(project, 'consumer.ts'));
    // Offline: what a tarball needs and is not among them is an error.
    run('npm', 'install', '--offline', '--no-audit', '--no-fund', ...files);
  });
  after(() => rmSync(join(project, '..'), { recursive: true, force: true }));

  it('bring nothing along but the schemas that the types are inferred from', () => {
    const installed = readdirSync(join(project, 'node_modules')).filter((name) => !name.startsWith('.'));
    assert.deepEqual(installed, ['@fairlead', 'valibot']);
    const { dependencies } = JSON.parse(
      readFileSync(join(project, 'node_modules/@fairlead/client/package.json'), 'utf8'),
    ) as { dependencies: object };
    assert.deepEqual(Object.keys(dependencies), ['@fairlead/protocol']);
  });

  it('are strict in their types, those of every library included', () => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      module: 'nodenext',
      target: 'es2024',
      typeRoots: [join(MODULES, '@types')],
      types: ['node'],
    };
    const libraries = ['client', 'protocol', 'engine'].map((name) => `import * as ${name} from '@fairlead/${name}';\n`);
    writeFileSync(join(project, 'libraries.ts'), `${libraries.join('')}void [client, protocol, engine];\n`);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    run(join(MODULES, '.bin/tsc'), '-p', '.');
  });

  it(`weigh less than ${CLIENT_BYTES_MAX / 1000} KB where the whole client is bundled`, () => {
    const bytes = bytesAtStart("export * from '@fairlead/client';");
    assert.ok(bytes < CLIENT_BYTES_MAX, `${bytes} bytes`);
  });

  it('leave out of a bundle what a program does not use', () => {
    const bytes = bundledBytes(
      "import { parseAddress } from '@fairlead/client';\nconsole.log(parseAddress('unix:///a'));",
    );
    assert.ok(bytes < ONE_THING_BYTES_MAX, `${bytes} bytes`);
  });

  it('are the engine, as a library', () => {
    const root = join(project, '../library');
    writeFileSync(
      join(project, 'engine.mjs'),
      [
        "import { connect } from '@fairlead/client';",
        "import { Engine } from '@fairlead/engine';",
        "await using engine = await Engine.open({ root: process.argv[2], logLevel: 'silent' });",
        'await using docker = await connect({ engine });',
        'console.log((await docker.containers.list()).length);',
      ].join('\n'),
    );
    assert.equal(run(process.execPath, 'engine.mjs', root), '0\n');
  });

  it('are the command, which starts its engine by itself', async () => {
    const root = join(project, '../r');
    const image = join(project, 'busybox.tar');
    const env = { ...process.env, FAIRLEAD_ROOT: root, XDG_CACHE_HOME: join(project, '../cache') };
    const fairlead = (...args: readonly string[]): string =>
      execFileSync('node_modules/.bin/fairlead', args, { cwd: project, env, encoding: 'utf8' });
    writeFileSync(image, await dockerArchive([await busyboxImage()]));
    try {
      fairlead('load', '-i', image);
      assert.equal(fairlead('run', '--rm', '--network=none', 'busybox', 'echo', 'hello'), 'hello\n');
      assert.match(fairlead('ps', '-a'), /^CONTAINER ID .*\n$/);
    } finally {
      const pid = Number(readFileSync(join(root, 'engine.pid'), 'utf8'));
      process.kill(pid);
      await eventually(async () => runs(pid), false);
    }
  });

  for (const kind of clientKinds()) {
    it(`follow, exec and stop on ${kind}`, async () => {
      await using engine = await EngineUnderTest.start(kind);
      const seen: unknown = JSON.parse(run(process.execPath, 'consumer.ts', engine.host, 'consumed'));
      assert.deepEqual(seen, {
        followed: ['line 1', 'line 2', 'line 3'],
        exec: { exitCode: 3, stdout: 'from stdin' },
        stopped: [true, false, 5],
      });
    });
  }
});
