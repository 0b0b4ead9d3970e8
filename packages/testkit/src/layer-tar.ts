import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pack, type Header } from 'tar-stream';

/** One entry of a tar that a test or a demo makes. What is left out is root's, mode 0644 (0755 for directories), 2024-01-01. */
export interface LayerEntry {
  readonly name: string;
  /** Default: `directory` when the name ends in a slash, else `file`. */
  readonly type?: Header['type'];
  readonly content?: string | Uint8Array;
  readonly linkName?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly modifiedAt?: Date;
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes, as GNU tar and Docker write them. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A fixed time, so that the same entries are the same bytes and the same digest everywhere. */
export const LAYER_TIME: Date = new Date('2024-01-01T00:00:00Z');

/** Packs entries in the order given; names are written as they are, also hostile ones. */
export async function layerTar(entries: readonly LayerEntry[]): Promise<Uint8Array> {
  const tar = pack();
  for (const entry of entries) tar.entry(headerOf(entry), contentOf(entry));
  tar.finalize();
  return await buffer(Readable.from(bytesOf(tar)));
}

async function* bytesOf(tar: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of tar) if (chunk instanceof Uint8Array) yield chunk;
}

function headerOf(entry: LayerEntry): Partial<Header> & Pick<Header, 'name'> {
  const type = entry.type ?? (entry.name.endsWith('/') ? 'directory' : 'file');
  const attributes = Object.entries(entry.attributes ?? {}).map(([name, value]) => [`SCHILY.xattr.${name}`, value]);
  return {
    name: entry.name,
    type,
    mode: entry.mode ?? (type === 'directory' ? 0o755 : 0o644),
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    mtime: entry.modifiedAt ?? LAYER_TIME,
    size: contentOf(entry).byteLength,
    ...(entry.linkName === undefined ? {} : { linkname: entry.linkName }),
    ...(entry.device === undefined ? {} : { devmajor: entry.device.major, devminor: entry.device.minor }),
    ...(attributes.length === 0 ? {} : { pax: Object.fromEntries(attributes) }),
  };
}

function contentOf(entry: LayerEntry): Buffer {
  const { content = '' } = entry;
  return typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
}
