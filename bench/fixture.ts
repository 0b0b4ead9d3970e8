/** What every contender runs: one root filesystem made from Debian's static busybox, and one file of text. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { TEXT_BYTES } from './contender.ts';

export interface Fixture {
  readonly rootfs: string;
  /** The same as a tar, for `docker import`. */
  readonly rootfsTar: Uint8Array;
  readonly textDirectory: string;
}

const APPLETS: readonly string[] = ['sh', 'true', 'sleep', 'cat', 'head'];
const TEXT_LINE = `${'The quick brown fox jumps over the lazy dog. '.repeat(3).slice(0, 99)}\n`;
const LINES_PER_WRITE = 4096;

/** Makes it below `home`. */
export function makeFixture(home: string): Fixture {
  const rootfs = join(home, 'rootfs');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'text'])
    mkdirSync(join(rootfs, name), { recursive: true });
  copyFileSync(realpathSync('/bin/busybox'), join(rootfs, 'bin', 'busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(rootfs, 'bin', applet));
  const tar = join(home, 'rootfs.tar');
  const packed = spawnSync('tar', ['-C', rootfs, '-cf', tar, '.'], { encoding: 'utf8' });
  if (packed.status !== 0) throw new Error(`tar: ${packed.stderr}`);
  const textDirectory = join(home, 'text');
  mkdirSync(textDirectory);
  writeText(join(textDirectory, 'lines'));
  return { rootfs, rootfsTar: readFileSync(tar), textDirectory };
}

function writeText(path: string): void {
  const chunk = Buffer.from(TEXT_LINE.repeat(LINES_PER_WRITE));
  const file = openSync(path, 'w');
  for (let written = 0; written < TEXT_BYTES;)
    written += writeSync(file, chunk, 0, Math.min(chunk.byteLength, TEXT_BYTES - written));
  closeSync(file);
}
