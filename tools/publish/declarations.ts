/** Declaration files of the packages: what tsc says of their types. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/**
 * Has tsc write the declarations of `entries` (specifier to source) and what they import into `directory`, by their path below
 * `packages/`.
 */
export function emitDeclarations(root: string, entries: ReadonlyMap<string, string>, directory: string): void {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    emitDeclarationOnly: true,
    declarationMap: true,
    rootDir: join(root, 'packages'),
    outDir: directory,
    types: ['node'],
    // What is found through node_modules has no declarations written, and tsc 7 takes a source for such a one or not as it happens.
    paths: Object.fromEntries([...entries].map(([specifier, file]) => [specifier, [file]])),
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      files: [...entries.values()],
      include: [],
    }),
  );
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', config], { stdio: 'inherit' });
}

/**
 * Copies the declarations of `entries` in `from`, with what they reach, to `to`, for sources in `src`: imports name the .js files, maps the .ts files. Gives back
 * the packages that are imported there.
 */
export function placeDeclarations(
  from: string,
  entries: readonly string[],
  { to, src }: { readonly to: string; readonly src: string },
): ReadonlySet<string> {
  const packages = new Set<string>();
  const reached = new Set(entries.map((name) => `${name}.d.ts`));
  for (const file of reached) {
    const text = readFileSync(join(from, file), 'utf8');
    for (const specifier of importsOf(text)) {
      if (specifier.startsWith('.')) reached.add(join(dirname(file), specifier.replace(/\.ts$/, '.d.ts')));
      else packages.add(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
    }
    place(file, text);
  }
  return packages;

  function place(file: string, text: string): void {
    const placed = join(to, file);
    mkdirSync(dirname(placed), { recursive: true });
    writeFileSync(placed, withBuiltImports(text));
    const map = JSON.parse(readFileSync(join(from, `${file}.map`), 'utf8')) as object;
    const source = relative(dirname(placed), join(src, file.replace(/\.d\.ts$/, '.ts')));
    writeFileSync(`${placed}.map`, JSON.stringify({ ...map, sources: [source] }));
  }
}

const IMPORT = /(?:from |import\()(["'])([^"'\n]+)\1/g;

function importsOf(text: string): readonly string[] {
  return [...text.matchAll(IMPORT)].map((match) => match[2] ?? '');
}

/** tsc leaves `./x.ts` in declarations as it is. No length changes, so the maps stay true. */
function withBuiltImports(text: string): string {
  return text.replace(IMPORT, (all, _quote, specifier: string) =>
    specifier.startsWith('.') ? all.replace(/\.ts(["'])/, '.js$1') : all,
  );
}
