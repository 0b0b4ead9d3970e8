/**
 * `make dist`: the packages in the form that is published.
 *
 *   node tools/publish/build-packages.ts [DIRECTORY]
 *
 * In DIRECTORY (dist/ when absent) there is then a tarball of each, as `npm publish` would send it. At home nothing of it is used:
 * the workspaces run from their sources.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { transformSync } from 'esbuild';
import { bundleCommand, bundleLibrary, bundleProtocolForClient } from './bundle.ts';
import { emitDeclarations, placeDeclarations } from './declarations.ts';
import { licencesOf } from './licences.ts';
import { addonManifest, commandManifest, entriesOf, libraryManifest, type Manifest, readManifest } from './manifest.ts';
import { copySources } from './copy-sources.ts';

const repository = join(import.meta.dirname, '../..');
/** Stay here: the tests' own, and what is no library. */
const NOT_LIBRARIES = ['packages/cli', 'packages/testkit', 'packages/console'];

/** What it needs of the protocol is part of it, but for the fleet's, which is loaded with the way through a hub, and the types. */
const CLIENT = 'packages/client';

/**
 * Its files call valibot when they are loaded. That such a call has no side effects is known to esbuild within one file only, and
 * what a program does not use is then left out of its bundle.
 */
const PROTOCOL = 'packages/protocol';

/** Builds all of them into tarballs in `directory`; gives back their paths. */
export async function buildPackages(directory: string): Promise<readonly string[]> {
  mkdirSync(directory, { recursive: true });
  const stage = mkdtempSync(join(tmpdir(), 'packages-'));
  try {
    const libraries = globSync('packages/*/src/index.ts', { cwd: repository })
      .map((file) => file.replace(/\/src\/index\.ts$/, ''))
      .filter((folder) => !NOT_LIBRARIES.includes(folder))
      .sort();
    emitDeclarations(repository, new Map(libraries.flatMap(specifiersOf)), join(stage, 'types'));
    const staged: string[] = [];
    for (const folder of libraries) staged.push(await stageLibrary(stage, folder));
    staged.push(stageAddon(stage), await stageCommand(stage));
    return pack(staged, directory);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** What others wrote is part of the file, so that nobody waits for whole libraries to be read; what types name is a dependency too. */
async function stageLibrary(stage: string, folder: string): Promise<string> {
  const workspace = readManifest(join(repository, folder));
  const place = begin(stage, folder);
  copySources(join(repository, folder, 'src'), join(place, 'src'));
  const dependencies = Object.keys(workspace.dependencies ?? {});
  const { inputs } = await bundleLibrary({
    entries: entryFiles(folder).map((file) => join(place, file)),
    directory: join(place, 'dist'),
    external: dependencies.filter((name) => isOurs(name) && folder !== CLIENT).flatMap((name) => [name, `${name}/*`]),
    protocol: folder === CLIENT ? await protocolForClient(stage) : undefined,
    modules: join(repository, 'node_modules'),
    splitting: folder !== PROTOCOL,
    commonJs: dependencies.some((name) => !isOurs(name) && !isModule(name)),
  });
  const declared = join(stage, 'types', basename(folder), 'src');
  const entries = entriesOf(workspace);
  const places = { to: join(place, 'dist'), src: join(place, 'src') };
  const typed = placeDeclarations(declared, [...entries.values()], places);
  writeManifest(
    place,
    libraryManifest(workspace, entries, (name) => isOurs(name) || typed.has(name)),
  );
  passOnLicences(place, Object.keys(inputs));
  return place;
}

async function protocolForClient(stage: string): Promise<string> {
  const directory = join(stage, 'protocol-for-client');
  const entries = entryFiles(PROTOCOL)
    .filter((file) => file !== 'src/fleet.ts')
    .map((file) => join(repository, PROTOCOL, file));
  await bundleProtocolForClient(entries, directory, join(repository, 'node_modules'));
  return directory;
}

function entryFiles(folder: string): readonly string[] {
  return [...entriesOf(readManifest(join(repository, folder))).values()].map((name) => `src/${name}.ts`);
}

/** What others import of a package, with the source of it. */
function specifiersOf(folder: string): readonly (readonly [string, string])[] {
  const manifest = readManifest(join(repository, folder));
  return [...entriesOf(manifest)].map(([subpath, name]) => [
    `${manifest.name}${subpath.slice(1)}`,
    join(repository, folder, `src/${name}.ts`),
  ]);
}

function isOurs(name: string): boolean {
  return name.startsWith('@fairlead/');
}

async function stageCommand(stage: string): Promise<string> {
  const folder = join(repository, 'packages/cli');
  const manifest = commandManifest(readManifest(folder), readManifest(join(repository, 'native')));
  const place = begin(stage, 'packages/cli');
  writeManifest(place, manifest);
  const { files, sources } = await bundleCommand(repository, join(place, 'dist'), () => '');
  mkdirSync(join(place, 'dist'));
  for (const { path, contents } of files) writeFileSync(path, contents);
  passOnLicences(place, [...sources.command, ...sources.engine]);
  return place;
}

function stageAddon(stage: string): string {
  const folder = join(repository, 'native');
  const place = begin(stage, 'native');
  writeManifest(place, addonManifest(readManifest(folder)));
  for (const part of ['build/Release', 'index.d.ts', 'index.js', 'programs', 'src'])
    cpSync(join(folder, part), join(place, part), { recursive: true });
  // Node runs no TypeScript below node_modules.
  const { code } = transformSync(readFileSync(join(folder, 'build.ts'), 'utf8'), { loader: 'ts' });
  writeFileSync(join(place, 'build.js'), code);
  return place;
}

function isModule(name: string): boolean {
  const { type } = readManifest(join(repository, 'node_modules', name));
  return type === 'module';
}

/** Makes the folder of a package with what every package has. */
function begin(stage: string, folder: string): string {
  const place = join(stage, basename(folder));
  mkdirSync(place);
  cpSync(join(repository, 'LICENSE'), join(place, 'LICENSE'));
  const readme = join(repository, folder, 'README.md');
  if (existsSync(readme)) cpSync(readme, join(place, 'README.md'));
  return place;
}

function writeManifest(place: string, manifest: Manifest): void {
  writeFileSync(join(place, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function passOnLicences(place: string, sources: readonly string[]): void {
  const text = licencesOf(repository, sources);
  if (text !== '') writeFileSync(join(place, 'THIRD-PARTY-LICENSES'), text);
}

function pack(folders: readonly string[], directory: string): readonly string[] {
  const args = ['pack', '--silent', '--pack-destination', directory, ...folders];
  const names = execFileSync('npm', args, { cwd: repository, encoding: 'utf8' }).trim().split('\n');
  return names.map((name) => join(directory, name));
}

if (import.meta.main) {
  const tarballs = await buildPackages(process.argv[2] ?? join(repository, 'dist'));
  for (const tarball of tarballs) console.log(tarball);
}
