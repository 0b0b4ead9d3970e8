import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { buildCommand } from './build-command.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

const FROM_SOURCES = "console.log('from the sources');\n";

describe('buildCommand', () => {
  /** A checkout, as far as the command is made from it. */
  let checkout = '';
  const inCheckout = (path: string): string => join(checkout, path);

  /** What the command says, and whether that was the built form: the sources' main.ts says nothing but so. */
  function says(...args: readonly string[]): string {
    const env = { ...process.env, XDG_CACHE_HOME: inCheckout('cache') };
    return execFileSync(process.execPath, [inCheckout('packages/cli/dist/main.js'), ...args], {
      encoding: 'utf8',
      env,
    });
  }

  before(async () => {
    checkout = mkdtempSync(join(tmpdir(), 'checkout-'));
    mkdirSync(inCheckout('packages'));
    for (const name of ['cli', 'client', 'engine', 'fleet', 'protocol']) {
      // Not cpSync, which rounds the times.
      execFileSync('cp', ['-a', join(REPOSITORY, 'packages', name), inCheckout('packages')]);
    }
    symlinkSync(join(REPOSITORY, 'node_modules'), inCheckout('node_modules'));
    mkdirSync(inCheckout('native'));
    await buildCommand(REPOSITORY, inCheckout('packages/cli/dist'));
    // As long, and as old, as the true one: nothing to be seen from outside.
    const main = inCheckout('packages/cli/src/main.ts');
    writeFileSync(main, FROM_SOURCES.padEnd(statSync(main).size));
    execFileSync('touch', ['-r', join(REPOSITORY, 'packages/cli/src/main.ts'), main]);
  });
  after(() => rmSync(checkout, { recursive: true, force: true }));

  /** Changes a source, by its time alone. */
  function touch(path: string): void {
    utimesSync(inCheckout(path), new Date(), new Date());
  }

  it('makes a form that is run as long as no source has changed', () => {
    assert.match(says('--version'), /^Fairlead version \d/);
    assert.match(says('engine', '--help'), /^Usage: {2}fairlead engine/);
  });

  it('makes a form that gives way to the sources of the engine where the engine is asked for', () => {
    touch('packages/engine/src/index.ts');
    assert.match(says('--version'), /^Fairlead version \d/);
    assert.equal(says('engine', '--help').trim(), 'from the sources');
  });

  it('makes a form that gives way to its own sources', () => {
    touch('packages/protocol/src/version.ts');
    assert.equal(says('--version').trim(), 'from the sources');
  });
});
