import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { layerTar, type LayerEntry } from './layer-tar.ts';
import type { ImageSketch } from './image-archive.ts';

/** Where Debian's busybox-static has its program. */
export const BUSYBOX_PATH = '/bin/busybox';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
  'nobody:x:65534:65534:nobody:/home:/bin/false',
];
const GROUP = ['root:x:0:', 'daemon:x:1:', 'users:x:100:', 'nogroup:x:65534:'];

/**
 * An image of one layer out of this machine's busybox: every applet, users and groups, and the usual directories.
 *
 * The same busybox gives the same bytes and so the same image id.
 * @throws Error when busybox is not installed, or is not the static one.
 */
export async function busyboxImage(tags: readonly string[] = ['busybox:latest']): Promise<ImageSketch> {
  return {
    layers: [await layerTar(busyboxEntries())],
    config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    tags,
  };
}

function busyboxEntries(): readonly LayerEntry[] {
  const program = readFileSync(BUSYBOX_PATH);
  if (program.includes('/ld-linux')) throw new Error(`${BUSYBOX_PATH} is not static: install busybox-static`);
  const applets = execFileSync(BUSYBOX_PATH, ['--list'], { encoding: 'utf8' }).split('\n').filter(isApplet);
  return [
    ...['./', 'bin/', 'dev/', 'etc/', 'home/', 'proc/', 'sys/', 'usr/', 'usr/bin/', 'usr/sbin/', 'var/'].map(directory),
    { name: 'sbin', type: 'symlink', linkName: 'bin', mode: 0o777 },
    { name: 'root/', mode: 0o700 },
    { name: 'tmp/', mode: 0o1777 },
    { name: 'var/tmp/', mode: 0o1777 },
    { name: 'home/nobody/', uid: 65_534, gid: 65_534 },
    { name: 'bin/busybox', content: program, mode: 0o755 },
    ...applets
      .toSorted()
      .map((name): LayerEntry => ({ name: `bin/${name}`, type: 'link', linkName: 'bin/busybox', mode: 0o755 })),
    { name: 'usr/bin/env', type: 'symlink', linkName: '../../bin/env', mode: 0o777 },
    { name: 'etc/passwd', content: lines(PASSWD) },
    { name: 'etc/group', content: lines(GROUP) },
    { name: 'etc/shadow', content: lines(['root:*:::::::', 'daemon:*:::::::', 'nobody:*:::::::']), mode: 0o600 },
    { name: 'etc/hosts', content: '' },
    { name: 'etc/resolv.conf', content: '' },
    { name: 'etc/hostname', content: '' },
  ];
}

function isApplet(name: string): boolean {
  return name !== '' && name !== 'busybox';
}

function directory(name: string): LayerEntry {
  return { name };
}

function lines(content: readonly string[]): string {
  return `${content.join('\n')}\n`;
}
