import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import { type FleetRecording, RECORDING_PIECE_BYTES } from '@fairlead/protocol/fleet';
import * as v from 'valibot';
import { Asciicast, type CastHead } from './asciicast.ts';

/** What recordings may take: they may not fill a disk. */
export interface RecordingLimits {
  /** One of them; then its session goes on unrecorded, and the file says so. */
  readonly bytesMax: number;
  /** All together, and how many: the oldest goes before a new one begins. */
  readonly totalBytesMax: number;
  readonly countMax: number;
}

/** Ours: hours of a busy terminal each, and a part of a disk that nobody misses. */
export const RECORDING_LIMITS: RecordingLimits = {
  bytesMax: 64 * 1024 * 1024,
  totalBytesMax: 1024 * 1024 * 1024,
  countMax: 1_000,
};

const SUFFIX = '.cast';
/** A head is looked for in so many bytes. */
const HEAD_BYTES_MAX: number = 64 * 1024;
/** Of a command that is listed. */
const SHOWN_CHARACTERS_MAX = 200;

interface Kept {
  readonly sessionId: string;
  readonly path: string;
  readonly bytes: number;
  readonly changedMs: number;
}

/** The recordings of a host's sessions, one file each. */
export class Recordings {
  readonly #directory: string;
  readonly #limits: RecordingLimits;
  readonly #open = new Map<string, Asciicast>();

  private constructor(directory: string, limits: RecordingLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** What an agent that was killed left of its last line is cut off. @throws the file system's error. */
  static async open(directory: string, limits: RecordingLimits = RECORDING_LIMITS): Promise<Recordings> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const recordings = new Recordings(directory, limits);
    for (const { path } of await recordings.#kept()) await cutTornLine(path);
    return recordings;
  }

  /** Begins one; it is whoever asked for it that ends it. @throws the file system's error. */
  async begin(sessionId: string, head: CastHead): Promise<Asciicast> {
    await this.#makeRoom();
    const cast = await Asciicast.create(this.#pathOf(sessionId), head, this.#limits.bytesMax);
    this.#open.set(sessionId, cast);
    return cast;
  }

  /** Ends it. */
  async end(sessionId: string): Promise<void> {
    const cast = this.#open.get(sessionId);
    await cast?.[Symbol.asyncDispose]();
    this.#open.delete(sessionId);
  }

  /** The newest first. */
  async list(): Promise<readonly FleetRecording[]> {
    return await Promise.all((await this.#kept()).toReversed().map(async (one) => await this.#shown(one)));
  }

  /** Whole lines of it are there to be read; empty: that was all. @throws EngineError 'not-found' */
  async read(sessionId: string, offset: number): Promise<Uint8Array> {
    const path = this.#pathOf(sessionId);
    const end = this.#open.get(sessionId)?.bytes ?? (await sizeOf(path));
    if (end === undefined) throw new EngineError('not-found', `no recording of session ${sessionId}`);
    await using file = await open(path);
    return await readAt(file, offset, Math.min(RECORDING_PIECE_BYTES, Math.max(0, end - offset)));
  }

  async #makeRoom(): Promise<void> {
    const { bytesMax, totalBytesMax, countMax } = this.#limits;
    const kept = await this.#kept();
    let total = kept.reduce((sum, { bytes }) => sum + bytes, bytesMax);
    let count = kept.length + 1;
    for (const { sessionId, path, bytes } of kept) {
      if (total <= totalBytesMax && count <= countMax) return;
      if (this.#open.has(sessionId)) continue;
      await rm(path, { force: true });
      total -= bytes;
      count -= 1;
    }
  }

  /** The oldest first. */
  async #kept(): Promise<readonly Kept[]> {
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(SUFFIX));
    const kept = await Promise.all(
      names.map(async (name) => {
        const sessionId = name.slice(0, -SUFFIX.length);
        const path = this.#pathOf(sessionId);
        const found = await stat(path).catch(() => undefined);
        return found === undefined ? [] : [{ sessionId, path, bytes: found.size, changedMs: found.mtimeMs }];
      }),
    );
    return kept.flat().toSorted((a, b) => a.changedMs - b.changedMs);
  }

  async #shown({ sessionId, path, bytes }: Kept): Promise<FleetRecording> {
    await using file = await open(path);
    const [line = ''] = (await readAt(file, 0, Math.min(bytes, HEAD_BYTES_MAX))).toString('utf8').split('\n', 1);
    const cast = this.#open.get(sessionId);
    const { title, command, timestamp } = headOf(line);
    const startedAt = new Date(timestamp * 1000).toISOString();
    const shown = command.slice(0, SHOWN_CHARACTERS_MAX);
    return { sessionId, title, command: shown, startedAt, bytes: cast?.bytes ?? bytes, isOpen: cast !== undefined };
  }

  #pathOf(sessionId: string): string {
    return join(this.#directory, `${sessionId}${SUFFIX}`);
  }
}

const headSchema = v.object({ title: v.string(), command: v.string(), timestamp: v.pipe(v.number(), v.safeInteger()) });

/** A file that is none of ours has no title. */
function headOf(line: string): v.InferOutput<typeof headSchema> {
  try {
    return v.parse(headSchema, JSON.parse(line));
  } catch {
    return { title: '', command: '', timestamp: 0 };
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
}

type OpenFile = Awaited<ReturnType<typeof open>>;

async function readAt(file: OpenFile, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}

async function cutTornLine(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  let end = (await file.stat()).size;
  const [last] = await readAt(file, Math.max(0, end - 1), 1);
  if (last === undefined || last === LINE_FEED) return;
  for (let whole = -1; whole === -1 && end > 0;) {
    const from = Math.max(0, end - RECORDING_PIECE_BYTES);
    whole = (await readAt(file, from, end - from)).lastIndexOf(LINE_FEED);
    end = whole === -1 ? from : from + whole + 1;
  }
  await file.truncate(end);
}

const LINE_FEED = 0x0a;
