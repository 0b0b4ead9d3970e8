import { EngineError } from '@fairlead/protocol';
import type { ArchiveReader } from '../ports/archive-reader.ts';
import type { Blob, ContentStore } from '../ports/content-store.ts';

/** A docker archive has four entries per layer, an OCI layout one per blob: 127 layers, a thousand times. */
export const ARCHIVE_ENTRIES_MAX = 100_000;

/** What one file of an archive may hold: a disk image of a hundred gigabytes is a layer somebody has. */
export const ARCHIVE_FILE_BYTES_MAX: number = 256 * 1024 ** 3;

/** Smaller files stay in memory until somebody asks for them: of the many small ones few are kept. */
const MEMORY_FILE_BYTES_MAX: number = 64 * 1024;
/** All of them together. */
const MEMORY_BYTES_MAX: number = 32 * 1024 * 1024;

/** Links to links: Docker writes one step. */
const LINK_STEPS_MAX = 16;

type Part =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  | { readonly kind: 'blob'; readonly blob: Blob }
  | { readonly kind: 'link'; readonly target: string };

export interface ReceiveDeps {
  readonly content: ContentStore;
  readonly archives: ArchiveReader;
}

/** The files of an image archive, received whole, by their cleaned names. Large ones are blobs of the content store already. */
export class IncomingArchive {
  readonly #content: ContentStore;
  readonly #parts = new Map<string, Part>();
  #memoryBytes = 0;

  private constructor(content: ContentStore) {
    this.#content = content;
  }

  /**
   * Reads a tar, compressed or not, to its end. Names are keys here and never paths.
   * @throws EngineError 'invalid-argument' for what is no tar, 'too-large'; an error of `source`.
   */
  static async receive(
    deps: ReceiveDeps,
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<IncomingArchive> {
    const archive = new IncomingArchive(deps.content);
    let count = 0;
    for await (const entry of deps.archives.entries(deps.archives.decompress(source))) {
      count += 1;
      if (count > ARCHIVE_ENTRIES_MAX)
        throw new EngineError('too-large', `archive has more than ${ARCHIVE_ENTRIES_MAX} entries`);
      const name = cleanName(entry.name);
      if (entry.type === 'symlink')
        archive.#parts.set(name, { kind: 'link', target: resolveLink(name, entry.linkName) });
      if (entry.type === 'hardlink') archive.#parts.set(name, { kind: 'link', target: cleanName(entry.linkName) });
      if (entry.type === 'file') archive.#parts.set(name, await archive.#take(entry.content, entry.sizeBytes, signal));
    }
    return archive;
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /** @throws EngineError 'invalid-argument' when it is missing, 'too-large'. */
  async read(name: string, bytesMax: number): Promise<Uint8Array> {
    const part = this.#get(name);
    const sizeBytes = part.kind === 'memory' ? part.bytes.byteLength : part.blob.sizeBytes;
    if (sizeBytes > bytesMax) throw new EngineError('too-large', `${name} exceeds ${bytesMax} bytes`);
    return part.kind === 'memory' ? part.bytes : await this.#content.readWhole(part.blob.digest, bytesMax);
  }

  /** Puts a file into the content store, where it may be already. @throws EngineError 'invalid-argument' when it is missing. */
  async keep(name: string, signal: AbortSignal): Promise<Blob> {
    const part = this.#get(name);
    if (part.kind === 'blob') return part.blob;
    return await this.#content.write(once(part.bytes), { bytesMax: MEMORY_FILE_BYTES_MAX, signal });
  }

  async #take(content: AsyncIterable<Uint8Array>, sizeBytes: number, signal: AbortSignal): Promise<Part> {
    if (sizeBytes <= MEMORY_FILE_BYTES_MAX && this.#memoryBytes + sizeBytes <= MEMORY_BYTES_MAX) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of content) chunks.push(chunk);
      this.#memoryBytes += sizeBytes;
      return { kind: 'memory', bytes: Buffer.concat(chunks) };
    }
    return { kind: 'blob', blob: await this.#content.write(content, { bytesMax: ARCHIVE_FILE_BYTES_MAX, signal }) };
  }

  #get(name: string): Exclude<Part, { kind: 'link' }> {
    const part = this.#find(name);
    if (part === undefined)
      throw new EngineError('invalid-argument', `invalid archive: does not contain ${JSON.stringify(name)}`);
    return part;
  }

  #find(name: string): Exclude<Part, { kind: 'link' }> | undefined {
    let part = this.#parts.get(cleanName(name));
    for (let steps = 0; part?.kind === 'link' && steps < LINK_STEPS_MAX; steps++) part = this.#parts.get(part.target);
    return part?.kind === 'link' ? undefined : part;
  }
}

/** Slashes, `.` and `..` taken out, as a path below a root that cannot be left. */
export function cleanName(name: string): string {
  const kept: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return kept.join('/');
}

function resolveLink(name: string, target: string): string {
  return cleanName(target.startsWith('/') ? target : `${name}/../${target}`);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
