import { open, stat } from 'node:fs/promises';
import { isErrno } from './errno.ts';

/** A file that is read at any position, also after it was renamed or removed. */
export interface ReadableFile extends AsyncDisposable {
  /** Names the file itself, whatever it is called by now. */
  readonly identity: string;
  sizeBytes(): Promise<number>;
  /** Reads into the whole of `into`. @returns bytes read; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
}

/** Opens a file; undefined when there is none. @throws an errno error. */
export async function openReadableFile(path: string): Promise<ReadableFile | undefined> {
  const file = await open(path, 'r').catch(missing);
  if (file === undefined) return undefined;
  try {
    const { dev, ino } = await file.stat();
    return {
      identity: `${dev}:${ino}`,
      sizeBytes: async () => (await file.stat()).size,
      read: async (into, position) => (await file.read(into, 0, into.length, position)).bytesRead,
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Adds text to the end of a file that may also be written by others: in one write(2), so that it stays whole. */
export async function appendText(path: string, text: string): Promise<void> {
  await using file = await open(path, 'a', 0o600);
  await file.write(text);
}

/** The identity of the file that has this name now, as {@link ReadableFile.identity}; undefined when there is none. */
export async function fileIdentity(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(missing);
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
}

/** Bytes in a file; 0 when there is none. */
export async function fileSizeBytes(path: string): Promise<number> {
  return (await stat(path).catch(missing))?.size ?? 0;
}

function missing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
}
