/**
 * `make bench-client`: measures the client side by side with others, in one run.
 *
 *   node bench/client/main.ts [--rounds N] [--save]
 *
 * Every measurement has a process of its own; rounds are interleaved. `--save` writes bench/client-results.md, and the table in the README.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { installedEngines, startEngine } from '../engines.ts';
import { makeFixture } from '../fixture.ts';
import { median } from '../measure.ts';
import { withTable } from '../report.ts';
import { CLIENTS } from './contenders.ts';
import { clientTable, MEASURED, type ClientValues } from './report.ts';
import { scriptedEngine } from './scripted-engine.ts';

/** A client that has not done by then does not count. */
const WITHIN_MS = 60_000;

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, save: { type: 'boolean', default: false } },
});
const repository = join(import.meta.dirname, '../..');
const rounds = Number(options.rounds);
await using undo = new AsyncDisposableStack();
const home = mkdtempSync(join(tmpdir(), 'bc-'));
undo.defer(() => rmSync(home, { recursive: true, force: true }));

installClients();
const sockets = { scripted: join(home, 'scripted.sock'), real: await realEngine() };
undo.use(await scriptedEngine(sockets.scripted));
const values = new Map<string, number[]>();
for (const name of CLIENTS) values.set(`size ${name}`, [bundleKilobytes(name)]);
for (let round = 1; round <= rounds; round += 1) {
  for (const { key, engine } of MEASURED) for (const name of CLIENTS) await measure(name, key, engine);
  console.error(`bench: round ${round} of ${rounds}`);
}
publish();

/** Lays the clients out as an installation does; ours in the form that is published. */
function installClients(): void {
  const modules = join(home, 'node_modules');
  const tarballs = join(home, 'tarballs');
  execFileSync(process.execPath, [join(repository, 'tools/publish/build-packages.ts'), tarballs], { stdio: 'ignore' });
  for (const name of ['client', 'protocol']) {
    const place = join(modules, '@fairlead', name);
    mkdirSync(place, { recursive: true });
    const [tarball = ''] = globSync(join(tarballs, `fairlead-${name}-*.tgz`));
    execFileSync('tar', ['-xzf', tarball, '-C', place, '--strip-components=1']);
  }
  mkdirSync(join(modules, '@docker'));
  for (const name of ['dockerode', '@docker/node-sdk'])
    symlinkSync(join(repository, 'node_modules', name), join(modules, name));
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }');
  for (const file of ['worker.ts', 'contenders.ts', 'scripted-engine.ts'])
    copyFileSync(join(import.meta.dirname, file), join(home, file));
}

/** Fairlead with a container `target` that execs go to. */
async function realEngine(): Promise<string> {
  const [kind] = installedEngines(repository);
  if (kind === undefined) throw new Error('Fairlead is not there');
  const fixture = makeFixture(home);
  const place = join(home, 'engine');
  const { http } = undo.use(await startEngine(kind, place, fixture.textDirectory));
  await http.upload('/images/create?fromSrc=-&repo=bench&tag=latest', fixture.rootfsTar);
  const body = { Image: 'bench', Cmd: ['sleep', '1000000'], HostConfig: { NetworkMode: 'none' } };
  await http.call('POST', '/containers/create?name=target', body);
  await http.call('POST', '/containers/target/start');
  undo.defer(async () => {
    await http.call('DELETE', '/containers/target?force=1');
    http.close();
  });
  return join(place, 'engine.sock');
}

/** In a process of its own, while this one may be the engine. One that fails or takes too long leaves no value. */
async function measure(name: string, key: string, engine: 'scripted' | 'real'): Promise<void> {
  const args = [join(home, 'worker.ts'), name, key, sockets[engine]];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: home, timeout: WITHIN_MS });
    const list = values.get(`${key} ${name}`) ?? [];
    values.set(`${key} ${name}`, [...list, Number(stdout)]);
  } catch (error) {
    console.error(`bench: ${key} of ${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
  }
}

/** Everything of a client in one bundle, minified, with what is loaded when it is needed. */
function bundleKilobytes(name: string): number {
  const entry = join(home, 'bundled.mjs');
  writeFileSync(entry, `export * from '${name}';\n`);
  const output = join(home, 'bundled');
  const options = ['--bundle', '--minify', '--platform=node', '--format=esm', '--splitting', `--outdir=${output}`];
  const native = ['--external:*.node', '--external:cpu-features', '--log-level=error'];
  spawnSync(join(repository, 'node_modules/.bin/esbuild'), [entry, ...options, ...native], { stdio: 'inherit' });
  const bytes = globSync(join(output, '*.js')).reduce((sum, file) => sum + statSync(file).size, 0);
  rmSync(output, { recursive: true });
  return bytes / 1000;
}

function publish(): void {
  const medians: ClientValues = new Map([...values].map(([key, list]) => [key, median(list)]));
  const rows = clientTable(CLIENTS, medians);
  console.log(rows);
  if (!options.save) return;
  const text = [
    '# The client side by side',
    '',
    `Medians of ${rounds} interleaved rounds on ${availableParallelism()} CPUs, taken by \`make bench-client\`; each measurement in a process of its own. In brackets: how many times`,
    'better @fairlead/client is. Logs come from a scripted engine that is as fast as the socket, execs go to Fairlead. `–`: it failed, or had not',
    'done after a minute.',
    '',
    rows,
    '',
  ].join('\n');
  writeFileSync(join(repository, 'bench/client-results.md'), text);
  const readme = join(repository, 'README.md');
  writeFileSync(readme, withTable(readFileSync(readme, 'utf8'), rows, 'bench-client'));
}
