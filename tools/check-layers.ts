/** Checks the import law of layers.json: who may import whom, which room has which door to the outside, and no cycles. */
import { dirname, join, normalize } from 'node:path/posix';
import {
  isNode,
  isTestFile,
  type Finding,
  readJson,
  readSourceTree,
  report,
  type SourceFile,
  walk,
} from './source-tree.ts';

/**
 * What a room may reach. A room is `package/path` (the `src` between them is left out), a folder or one file; `*` stands for one
 * folder, and each folder it matches is a room of its own.
 */
export interface Room {
  /** Rooms whose files may be imported, types included. `*` allows every room. */
  readonly imports: readonly string[];
  /** Rooms that may be reached by `import()` only. */
  readonly dynamic?: readonly string[];
  /** npm packages that may be imported. */
  readonly npm?: readonly string[];
}

export interface Layers {
  readonly rooms: Readonly<Record<string, Room>>;
  /** Who may import these modules at all; a module that is not listed is open to everyone. */
  readonly doors: Readonly<Record<string, readonly string[]>>;
  /** What every test may import in addition to what its room may. */
  readonly tests: { readonly imports: readonly string[]; readonly npm: readonly string[] };
}

interface Import {
  readonly from: SourceFile;
  readonly specifier: string;
  readonly line: number;
  readonly dynamic: boolean;
  /** The imported file of the project, or undefined for npm and node modules. */
  readonly target: string | undefined;
}

/** Subpath exports of the project's packages: `@fairlead/engine/x` → `packages/engine/src/x.ts`. */
export type PackageExports = Readonly<Record<string, string>>;

/** Every breach of the law. `packageExports` resolves imports by package name. */
export function checkLayers(
  files: readonly SourceFile[],
  layers: Layers,
  packageExports: PackageExports,
): readonly Finding[] {
  const imports = files.flatMap((file) => importsOf(file, packageExports));
  const breaches = imports.flatMap((one) => breachOf(one, layers));
  return [...breaches, ...cyclesIn(imports)];
}

function importsOf(from: SourceFile, packageExports: PackageExports): readonly Import[] {
  const found: Import[] = [];
  walk(from.program, (node) => {
    const source = node['source'];
    if (!isNode(source) || source.type !== 'Literal' || typeof source['value'] !== 'string') return;
    const specifier = source['value'];
    const dynamic = node.type === 'ImportExpression';
    found.push({
      from,
      specifier,
      line: from.lineAt(source.start),
      dynamic,
      target: resolve(from.file, specifier, packageExports),
    });
  });
  return found;
}

function resolve(from: string, specifier: string, packageExports: PackageExports): string | undefined {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier));
  return packageExports[specifier];
}

function breachOf(one: Import, layers: Layers): readonly Finding[] {
  const at = (message: string): readonly Finding[] => [{ file: one.from.file, line: one.line, message }];
  const from = placeOf(one.from.file);
  const doorkeepers = layers.doors[one.specifier];
  const test = isTestFile(one.from.file);
  if (doorkeepers !== undefined && !test && !doorkeepers.some((room) => matches(room, from))) {
    return at(`${one.specifier} may only be imported in ${doorkeepers.join(', ')}`);
  }
  if (one.specifier.startsWith('node:')) return [];
  const roomName = roomOf(from, layers);
  if (roomName === undefined) return at(`${from} is in no room of layers.json`);
  const room = layers.rooms[roomName] ?? { imports: [] };
  if (one.target === undefined) {
    const permitted = [...(room.npm ?? []), ...(test ? layers.tests.npm : [])];
    const refusal = npmRefusal(one.specifier, permitted);
    return refusal === undefined ? [] : at(refusal);
  }
  if (one.specifier.startsWith('.') && packageOf(one.target) !== packageOf(one.from.file)) {
    return at(`${one.specifier} leaves the package: import it by its name`);
  }
  const target = placeOf(one.target);
  if (roomOf(target, layers) === roomName && sameFolder(roomName, from, target)) return [];
  if (test && (packageOf(one.target) === packageOf(one.from.file) || allowed(layers.tests.imports, target))) return [];
  if (allowed(room.imports, target)) return [];
  if (one.dynamic && allowed(room.dynamic ?? [], target)) return [];
  return at(`${roomName} may not import ${target}`);
}

function npmRefusal(specifier: string, permitted: readonly string[]): string | undefined {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (name.startsWith('@fairlead/')) return `${specifier} is not exported by that package`;
  return permitted.includes(name) ? undefined : `the npm package ${name} may not be imported here`;
}

/** `packages/engine/src/core/x.ts` → `engine/core/x.ts`; other roots keep their path. */
function placeOf(file: string): string {
  return file.replace(/^packages\/([^/]+)\/src\//, '$1/');
}

function packageOf(file: string): string {
  return /^packages\/[^/]+/.exec(file)?.[0] ?? file.split('/')[0] ?? file;
}

/** The room with the longest name that holds `place`. */
function roomOf(place: string, layers: Layers): string | undefined {
  return Object.keys(layers.rooms)
    .filter((room) => matches(room, place))
    .sort((a, b) => b.length - a.length)[0];
}

/** A room with `*` in its name is one room per folder. */
function sameFolder(roomName: string, from: string, target: string): boolean {
  const depth = roomName.split('/').length;
  return !roomName.includes('*') || from.split('/', depth).join('/') === target.split('/', depth).join('/');
}

function allowed(rooms: readonly string[], target: string): boolean {
  return rooms.some((room) => room === '*' || matches(room, target));
}

function matches(room: string, place: string): boolean {
  const wanted = room.split('/');
  const parts = place.split('/');
  return wanted.length <= parts.length && wanted.every((part, index) => part === '*' || part === parts[index]);
}

/** One finding per cycle, at the import that closes it. */
function cyclesIn(imports: readonly Import[]): readonly Finding[] {
  const edges = Map.groupBy(
    imports.filter((one) => one.target !== undefined && !one.dynamic),
    (one) => one.from.file,
  );
  const findings: Finding[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const edge of edges.get(file) ?? []) {
      const target = edge.target ?? '';
      const start = path.indexOf(target);
      if (start >= 0) {
        findings.push({
          file,
          line: edge.line,
          message: `import cycle: ${[...path.slice(start), target].join(' → ')}`,
        });
      } else if (!done.has(target)) visit(target);
    }
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) if (!done.has(file)) visit(file);
  return findings;
}

/** Reads the `exports` of every workspace into one table. */
export function readPackageExports(root: string, folders: readonly string[]): PackageExports {
  const table: Record<string, string> = {};
  for (const folder of folders) {
    const { name, exports } = readJson<{ name: string; exports?: Readonly<Record<string, unknown>> }>(
      root,
      `${folder}/package.json`,
    );
    for (const [subpath, target] of Object.entries(exports ?? {})) {
      const file = typeof target === 'string' ? target : sourceOf(target);
      if (file !== undefined) table[join(name, subpath)] = normalize(join(folder, file));
    }
  }
  return table;
}

function sourceOf(target: unknown): string | undefined {
  if (typeof target !== 'object' || target === null) return undefined;
  const conditions = target as Readonly<Record<string, unknown>>;
  const file = conditions['source'] ?? conditions['default'];
  return typeof file === 'string' ? file : undefined;
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const files = readSourceTree(root);
  const layers = readJson<Layers>(root, 'layers.json');
  const workspaces = [...new Set(files.map((one) => packageOf(one.file)))].filter((folder) =>
    /^(packages\/|native$|conformance$)/.test(folder),
  );
  const folders = [...new Set([...workspaces, 'native'])];
  report('layers', checkLayers(files, layers, readPackageExports(root, folders)), `${files.length} files`);
}
