import { decodeTar, encodeTar, type TarFile } from '@fairlead/protocol/tar';

/** In pieces. */
export async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

/** All of it at once. */
export async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes));
}

/** A tar of one file. */
export function oneFile(name: string, text: string): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text);
  async function* files(): AsyncGenerator<TarFile, void, undefined> {
    yield {
      record: {
        name: Buffer.from(name).toString('latin1'),
        type: 'file',
        mode: 0o640,
        uid: 0,
        gid: 0,
        sizeBytes: bytes.byteLength,
        modifiedAt: new Date(0),
        accessedAt: undefined,
        linkName: '',
        major: 0,
        minor: 0,
        attributes: new Map(),
      },
      content: chunksOf(bytes),
    };
  }
  return encodeTar(files());
}

/** The files of a tar: content by name. */
export async function filesIn(tar: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for await (const { record, content } of decodeTar(tar)) {
    found.set(Buffer.from(record.name, 'latin1').toString('utf8'), String(await whole(content)));
  }
  return found;
}
