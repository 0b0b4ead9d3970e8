/** Bundles what is published and what `bin/fairlead` runs: ESM for the Node that the project asks for. */
import { join } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';

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
}

/** The files of a library, one for each entry and what is split off, readable, with maps to the sources. Gives back what went into it. */
export async function bundleLibrary({
  entries,
  directory,
  external,
  modules,
  commonJs,
  splitting,
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
    ...(commonJs ? { banner: { js: REQUIRE } } : {}),
  });
  return metafile;
}

/** A file of the command's bundle. */
export interface BundleFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/** Stands in the entry for the list of sources until they are known. */
const SOURCES = '@sources@';

/**
 * The command with everything it uses: a small `main.js`, the last of the files, and pieces that are loaded when they are needed, the
 * engine among them. Nothing is written yet. `list` says what the entry knows of its sources; inputs of the metafile are relative to `root`.
 */
export async function bundleCommand(
  root: string,
  outdir: string,
  list: (metafile: Metafile) => string,
): Promise<{ readonly files: readonly BundleFile[]; readonly metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    ...ALWAYS,
    absWorkingDir: root,
    entryPoints: [{ in: join(root, 'packages/cli/src/built.ts'), out: 'main' }],
    outdir,
    write: false,
    splitting: true,
    // The addon lies beside its sources; its path is part of it.
    external: ['@fairlead/native'],
    define: { SOURCES: JSON.stringify(SOURCES) },
    minifySyntax: true,
    minifyWhitespace: true,
    banner: { js: REQUIRE },
  });
  const entry = outputFiles.find(({ path }) => path === join(outdir, 'main.js'));
  if (entry === undefined) throw new Error('the bundle has no main.js');
  const text = entry.text.replace(JSON.stringify(SOURCES), () => JSON.stringify(list(metafile)));
  const pieces = outputFiles.filter((file) => file !== entry);
  return { files: [...pieces, { path: entry.path, contents: Buffer.from(text) }], metafile };
}
