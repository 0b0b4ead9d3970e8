import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkLayers, type Layers } from './check-layers.ts';
import { parseSource, readJson } from './source-tree.ts';

const layers = readJson<Layers>(join(import.meta.dirname, '..'), 'layers.json');
const packageExports = {
  '@fairlead/protocol': 'packages/protocol/src/index.ts',
  '@fairlead/engine': 'packages/engine/src/index.ts',
  '@fairlead/native': 'native/index.js',
};

function breaches(files: Readonly<Record<string, string>>): readonly string[] {
  const sources = Object.entries(files).map(([file, text]) => parseSource(file, text));
  return checkLayers(sources, layers, packageExports).map(({ file, line, message }) => `${file}:${line}: ${message}`);
}

const engine = 'packages/engine/src';

describe('checkLayers', () => {
  const refused = [
    {
      what: 'core importing host',
      file: 'core/x.ts',
      text: "import { a } from '../host/files.ts';",
      message: /engine\/core may not import engine\/host\/files.ts/,
    },
    {
      what: 'core importing the type of a driver',
      file: 'core/x.ts',
      text: "import type { A } from '../drivers/oci/a.ts';",
      message: /may not import engine\/drivers\/oci/,
    },
    {
      what: 'core opening a file',
      file: 'core/x.ts',
      text: "import { open } from 'node:fs/promises';",
      message: /node:fs\/promises may only/,
    },
    {
      what: 'core starting a program, by import()',
      file: 'core/x.ts',
      text: "await import('node:child_process');",
      message: /node:child_process may only/,
    },
    {
      what: 'core with a dependency',
      file: 'core/x.ts',
      text: "import pino from 'pino';",
      message: /npm package pino/,
    },
    {
      what: 'a driver importing another',
      file: 'drivers/oci/x.ts',
      text: "import { b } from '../overlay/b.ts';",
      message: /may not import engine\/drivers\/overlay/,
    },
    {
      what: 'a driver importing a verb',
      file: 'drivers/oci/x.ts',
      text: "import { b } from '../../core/container/stop.ts';",
      message: /may not import engine\/core\/container/,
    },
    {
      what: 'main importing core',
      file: 'main.ts',
      text: "import { b } from './core/container/stop.ts';",
      message: /engine\/main.ts may not import/,
    },
    {
      what: 'api re-exporting a driver',
      file: 'api/x.ts',
      text: "export * from '../drivers/oci/a.ts';",
      message: /engine\/api may not import/,
    },
    {
      what: 'a route listening',
      file: 'api/routes/x.ts',
      text: "import { createServer } from 'node:http';",
      message: /node:http may only/,
    },
    {
      what: 'a driver loading the addon',
      file: 'drivers/console/x.ts',
      text: "import { b } from '@fairlead/native';",
      message: /@fairlead\/native may only/,
    },
    {
      what: 'a path out of the package',
      file: 'core/x.ts',
      text: "import { b } from '../../../protocol/src/ids.ts';",
      message: /leaves the package/,
    },
    {
      what: 'a path that a package does not export',
      file: 'core/x.ts',
      text: "import { b } from '@fairlead/protocol/src/ids.ts';",
      message: /not exported/,
    },
  ];
  for (const { what, file, text, message } of refused) {
    it(`refuses ${what}`, () => {
      const [first, ...rest] = breaches({ [`${engine}/${file}`]: `\n${text}` });
      assert.match(first ?? 'nothing reported', message);
      assert.match(first ?? '', new RegExp(`^${engine}/${file}:2: `));
      assert.deepEqual(rest, []);
    });
  }

  it('refuses the engine in the protocol and the client, and in the CLI but for import() in one file', () => {
    const text = "import { Engine } from '@fairlead/engine';";
    for (const name of ['protocol', 'client', 'cli'])
      assert.equal(breaches({ [`packages/${name}/src/x.ts`]: text }).length, 1, name);
    assert.deepEqual(
      breaches({ 'packages/cli/src/commands/system/engine.ts': "await import('@fairlead/engine');" }),
      [],
    );
    assert.equal(breaches({ 'packages/cli/src/main.ts': "await import('@fairlead/engine');" }).length, 1);
  });

  it('refuses a cycle, also one of types only, and shows the way round', () => {
    const found = breaches({
      [`${engine}/lib/a.ts`]: "import type { B } from './b.ts';",
      [`${engine}/lib/b.ts`]: "import { c } from './c.ts';",
      [`${engine}/lib/c.ts`]: "import { a } from './a.ts';",
    });
    assert.deepEqual(found, [
      `${engine}/lib/c.ts:1: import cycle: ${['a', 'b', 'c', 'a'].map((name) => `${engine}/lib/${name}.ts`).join(' → ')}`,
    ]);
  });

  it('lets pass what points down, and lets a test reach across its package', () => {
    assert.deepEqual(
      breaches({
        [`${engine}/core/x.ts`]:
          "import { b } from '../lib/b.ts';\nimport { c } from './container/c.ts';\nimport { d } from '@fairlead/protocol';",
        [`${engine}/drivers/oci/x.ts`]:
          "import type { R } from '../../core/ports/container-runtime.ts';\nimport { f } from '../../host/files.ts';",
        [`${engine}/host/x.ts`]: "import { open } from 'node:fs/promises';\nimport { n } from '@fairlead/native';",
        [`${engine}/core/x.test.ts`]:
          "import { r } from '../drivers/sqlite/store.ts';\nimport * as fc from 'fast-check';\nimport { open } from 'node:fs/promises';",
      }),
      [],
    );
  });
});
