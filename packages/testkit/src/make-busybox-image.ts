/** `node make-busybox-image.ts [--oci] [--tag NAME:TAG] FILE.tar`: writes a busybox image for `docker load`. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { busyboxImage } from './busybox-image.ts';
import { dockerArchive, ociArchive } from './image-archive.ts';

const { values, positionals } = parseArgs({
  options: { oci: { type: 'boolean', default: false }, tag: { type: 'string', default: 'busybox:latest' } },
  allowPositionals: true,
});
const [path] = positionals;
if (path === undefined) throw new Error('usage: make-busybox-image.ts [--oci] [--tag NAME:TAG] FILE.tar');
const image = await busyboxImage([values.tag]);
writeFileSync(path, values.oci ? await ociArchive([image]) : await dockerArchive([image]));
