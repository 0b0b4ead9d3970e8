/** Bundles what is published and what `bin/fairlead` runs: ESM for the Node that the project asks for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';

/**
 * Leaves the schemas of request bodies out: a client sends what its types allow, and it is the engine that checks. With them goes all
 * of valibot, a fifth of what a program with the client loads.
 */
const withoutBodySchemas: Plugin = {
  name: 'without-body-schemas',
  setup(bundler) {
    bundler.onLoad({ filter: /\/protocol\/src\/endpoints\/[^/]+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/\bjsonBody\(\w+/g, 'jsonBody(undefined'),
      loader: 'ts',
    }));
  },
};

/** Packages of CommonJS in a bundle (pino) call `require`, which a module of ESM does not have. */
const REQUIRE = "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url);";

const ALWAYS = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'esnext',
  metafile: true,
  logLevel: 'warning',
  // Bundlers that read this in turn are slower to learn syntax than Node is.
  supported: { using: false },
} as const satisfies BuildOptions;

export interface LibraryBundle {
  /** The sources of what it exports. */
  readonly entries: readonly string[];
  readonly directory: string;
  /** Packages that are imported when it runs; all others are part of it. */
  readonly external: readonly string[];
  /** Where packages that are part of it are found. */
  readonly modules: string;
  /** Whether some of these are CommonJS. */
  readonly commonJs: boolean;
  /** Whether what is imported when it is needed gets files of its own, and what several entries share. */
  readonly splitting: boolean;
  /** Where the protocol is that becomes part of it; undefined where that is a package of its own. */
  readonly protocol: string | undefined;
}

/** The files of a library, one for each entry and what is split off, readable, with maps to the sources. Gives back what went into it. */
export async function bundleLibrary({
  entries,
  directory,
  external,
  modules,
  commonJs,
  splitting,
  protocol,
}: LibraryBundle): Promise<Metafile> {
  const { metafile } = await build({
    ...ALWAYS,
    entryPoints: [...entries],
    outdir: directory,
    splitting,
    external: [...external],
    nodePaths: [modules],
    sourcemap: true,
    sourcesContent: false,
    plugins: protocol === undefined ? [] : [takesProtocolFrom(protocol)],
    ...(commonJs ? { banner: { js: REQUIRE } } : {}),
  });
  return metafile;
}

/** The protocol as a client needs it, one file for each entry: it becomes part of the client's. */
export async function bundleProtocolForClient(
  entries: readonly string[],
  directory: string,
  modules: string,
): Promise<void> {
  const plugins = [withoutBodySchemas];
  await build({ ...ALWAYS, entryPoints: [...entries], outdir: directory, nodePaths: [modules], plugins });
}

/** What is not among its files stays an import. */
function takesProtocolFrom(directory: string): Plugin {
  return {
    name: 'takes-protocol',
    setup(bundler) {
      bundler.onResolve({ filter: /^@fairlead\/protocol(\/|$)/ }, ({ path }) => {
        const file = join(directory, `${path.split('/')[2] ?? 'index'}.js`);
        return existsSync(file) ? { path: file, sideEffects: false } : { path, external: true };
      });
    },
  };
}

/**
 * Takes Node's own modules as they are. An `import` of one asks for all that it exports, and some of that is made when it is asked for:
 * of `node:fs` the promises, of `node:crypto` the web's cryptography, of `node:http` undici; together longer than the command takes.
 */
const builtinsAsTheyAre: Plugin = {
  name: 'builtins-as-they-are',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    bundler.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** A file of the command's bundle. */
export interface BundleFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/** Stands in the entry for the list of sources until they are known. */
const SOURCES = '@sources@';

/** What a bundle is made from, by path from the root of the repository. */
export interface CommandSources {
  /** Of the command itself. */
  readonly command: readonly string[];
  /** Of what the command loads only where it is an engine, or starts more than one program. */
  readonly engine: readonly string[];
}

export interface CommandBundle {
  /** `main.js`, which needs the others only for the engine, comes last. */
  readonly files: readonly BundleFile[];
  readonly sources: CommandSources;
}

/**
 * The command in one file, because every further one takes as long to find and read as much of its code takes to run; and the engine
 * with what else is loaded by name in further ones. Nothing is written yet. `list` says what the command is to know of its sources.
 */
export async function bundleCommand(
  root: string,
  outdir: string,
  list: (sources: CommandSources) => string,
): Promise<CommandBundle> {
  const options = {
    ...ALWAYS,
    absWorkingDir: root,
    outdir,
    write: false,
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: REQUIRE },
  } as const;
  const parts = new Set<string>();
  const main = await build({
    ...options,
    entryPoints: [{ in: join(root, 'packages/cli/src/built.ts'), out: 'main' }],
    define: { SOURCES: JSON.stringify(SOURCES) },
    plugins: [builtinsAsTheyAre, partsApart(parts)],
  });
  const engine = await build({
    ...options,
    entryPoints: [...parts].map((name) => ({ in: name, out: partName(name) })),
    splitting: true,
    // The addon lies beside its sources; its path is part of it.
    external: ['@fairlead/native'],
    plugins: [builtinsAsTheyAre],
  });
  const sources = { command: inputsOf(main.metafile), engine: inputsOf(engine.metafile) };
  const files = main.outputFiles.map(({ path, text }) => ({
    path,
    contents: Buffer.from(text.replace(JSON.stringify(SOURCES), () => JSON.stringify(list(sources)))),
  }));
  return { files: [...engine.outputFiles, ...files], sources };
}

/** Leaves what the command loads by the name of its package to a bundle of its own, and says what that is. */
function partsApart(parts: Set<string>): Plugin {
  return {
    name: 'parts-apart',
    setup(bundler) {
      bundler.onResolve({ filter: /^@fairlead\/(engine|fleet)(\/|$)/ }, ({ path }) => {
        parts.add(path);
        return { path: `./${partName(path)}.js`, external: true };
      });
    },
  };
}

function partName(specifier: string): string {
  return specifier.replace('@fairlead/', '').replaceAll('/', '-');
}

function inputsOf({ inputs }: Metafile): readonly string[] {
  return Object.keys(inputs).filter((path) => !path.startsWith('builtin:'));
}
