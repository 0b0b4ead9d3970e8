import { bytePathOf, type TarFile, type TarRecord } from '@fairlead/protocol/tar';

/** What files of a saved archive are when nothing says when they were made. */
const NO_TIME = new Date(0);

/** A file that is at hand. */
export function wholeFile(name: string, bytes: Uint8Array, modifiedAt?: Date): TarFile {
  return { record: recordOf(name, bytes.byteLength, modifiedAt), content: once(bytes) };
}

/** A file that is pulled. */
export function streamedFile(
  name: string,
  content: AsyncIterable<Uint8Array>,
  facts: { readonly sizeBytes: number; readonly modifiedAt: Date | undefined },
): TarFile {
  return { record: recordOf(name, facts.sizeBytes, facts.modifiedAt), content };
}

/** A directory. @param name ends with a slash. */
export function directoryFile(name: string): TarFile {
  return { record: { ...recordOf(name, 0, undefined), type: 'directory', mode: 0o755 }, content: once() };
}

function recordOf(name: string, sizeBytes: number, modifiedAt: Date | undefined): TarRecord {
  return {
    name: bytePathOf(name),
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes,
    modifiedAt: modifiedAt ?? NO_TIME,
    accessedAt: undefined,
    linkName: bytePathOf(''),
    major: 0,
    minor: 0,
    attributes: new Map(),
  };
}

async function* once(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}
