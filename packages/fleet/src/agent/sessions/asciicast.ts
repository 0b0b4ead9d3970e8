import { open, type FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import type { TerminalRect } from '@fairlead/protocol/fleet';
import type { SourceChunk } from './session-source.ts';

/** What a recording says of its session. */
export interface CastHead {
  /** At the beginning. */
  readonly size: TerminalRect;
  readonly title: string;
  readonly command: string;
}

type CastEvent = 'o' | 'i' | 'r';

/**
 * A session on the host's disk, playable with `asciinema play`. Every event is a line, and a character that came in two pieces is in
 * the later one whole. Source: asciicast format, version 2.
 */
export class Asciicast implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #bytesMax: number;
  readonly #startedAt = performance.now();
  readonly #text = { 1: new StringDecoder('utf8'), 2: new StringDecoder('utf8'), input: new StringDecoder('utf8') };
  /** Lines are written one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #bytes = 0;
  #isOver = false;

  private constructor(file: FileHandle, bytesMax: number) {
    this.#file = file;
    this.#bytesMax = bytesMax;
  }

  /** Begins a new file, readable by its owner alone, of `bytesMax` bytes at most. @throws the file system's error. */
  static async create(path: string, head: CastHead, bytesMax: number): Promise<Asciicast> {
    const cast = new Asciicast(await open(path, 'wx', 0o600), bytesMax);
    const { columns: width, rows: height } = head.size;
    const timestamp = Math.floor(Date.now() / 1000);
    await cast.#write(lineOf({ version: 2, width, height, timestamp, title: head.title, command: head.command }));
    return cast;
  }

  /** Whole lines on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when it is with the operating system. @throws the file system's error. */
  async output({ stream, bytes }: SourceChunk): Promise<void> {
    await this.#event('o', this.#text[stream].write(Buffer.from(bytes)));
  }

  /** As `output`. */
  async input(bytes: Uint8Array): Promise<void> {
    await this.#event('i', this.#text.input.write(Buffer.from(bytes)));
  }

  /** As `output`. */
  async resize({ columns, rows }: TerminalRect): Promise<void> {
    await this.#event('r', `${columns}x${rows}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    for (const rest of [this.#text[1].end(), this.#text[2].end()]) await this.#event('o', rest);
    this.#isOver = true;
    await this.#writing;
    await this.#file.close();
  }

  async #event(kind: CastEvent, text: string): Promise<void> {
    if (text === '' || this.#isOver) return;
    const seconds = Number(((performance.now() - this.#startedAt) / 1000).toFixed(6));
    const line = lineOf([seconds, kind, text]);
    if (this.#bytes + line.length <= this.#bytesMax) return await this.#write(line);
    this.#isOver = true;
    await this.#write(lineOf([seconds, 'o', '\r\n[… the recording ends here: it is as long as it may be]\r\n']));
    await this.#file.close();
  }

  async #write(line: Uint8Array): Promise<void> {
    const written = this.#writing.then(() => this.#file.appendFile(line));
    this.#writing = written.catch(() => {});
    await written;
    this.#bytes += line.length;
  }
}

function lineOf(document: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(document)}\n`);
}
