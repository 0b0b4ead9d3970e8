/** The package.json of what is published: written anew from the workspace's, which is for working here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a workspace's package.json says, as far as publishing asks. */
export interface WorkspaceManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly type?: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  /** Subpath to source: `"./fleet": "./src/fleet.ts"`. */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** A package.json, whatever is in it. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Declarations name Node's own types; who uses TypeScript has them, others need not. */
const NODE_TYPES = {
  peerDependencies: { '@types/node': '>=24' },
  peerDependenciesMeta: { '@types/node': { optional: true } },
} as const;

/** Subpaths that are for the tools and the tests of this repository. */
const AT_HOME: ReadonlySet<string> = new Set(['./not-served', './testing']);

/** Reads the package.json of the workspace in `folder`. */
export function readManifest(folder: string): WorkspaceManifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as WorkspaceManifest;
}

/**
 * Of a library: one ESM file for each of its `entries` (subpath to name), its types, the sources that both point to. Of the
 * dependencies stay those that are `needed`.
 */
export function libraryManifest(
  workspace: WorkspaceManifest,
  entries: ReadonlyMap<string, string>,
  needed: (name: string) => boolean,
): Manifest {
  const exports = [...entries].map(([subpath, name]) => [
    subpath,
    { source: `./src/${name}.ts`, types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
  ]);
  const dependencies = Object.entries(workspace.dependencies ?? {}).filter(([name]) => needed(name));
  return {
    ...named(workspace),
    main: './dist/index.js',
    types: './dist/index.d.ts',
    exports: { ...Object.fromEntries(exports), './package.json': './package.json' },
    files: ['dist', 'src', 'THIRD-PARTY-LICENSES'],
    sideEffects: false,
    dependencies: Object.fromEntries(dependencies),
    ...NODE_TYPES,
  };
}

/** What a library exports: subpath to the name of the source in `src`. */
export function entriesOf({ exports }: WorkspaceManifest): ReadonlyMap<string, string> {
  const named = Object.entries(exports).filter(([subpath]) => !AT_HOME.has(subpath));
  return new Map(named.map(([subpath, source]) => [subpath, String(source).replace(/^\.\/src\/(.*)\.ts$/, '$1')]));
}

/**
 * Of the command: everything in one bundle, but for the addon, which is made for one kind of machine. Without it the command still
 * drives engines on other hosts.
 */
export function commandManifest(workspace: WorkspaceManifest, addon: WorkspaceManifest): Manifest {
  return {
    ...named(workspace),
    bin: { fairlead: './dist/main.js' },
    files: ['dist', 'THIRD-PARTY-LICENSES'],
    optionalDependencies: { [addon.name]: addon.version },
  };
}

/** Of the addon, as built on this machine. */
export function addonManifest(workspace: WorkspaceManifest): Manifest {
  return {
    ...named(workspace),
    exports: { '.': { types: './index.d.ts', default: './index.js' }, './package.json': './package.json' },
    files: ['build.js', 'build/Release', 'index.d.ts', 'index.js', 'programs', 'src'],
    scripts: { build: 'node build.js' },
    os: ['linux'],
    cpu: [process.arch],
  };
}

function named({ name, version, description, license, engines }: WorkspaceManifest): Manifest {
  return { name, version, description, license, type: 'module', engines };
}
