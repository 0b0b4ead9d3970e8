import { open, type FileHandle } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import type { TerminalRect } from '@fairlead/protocol/fleet';
import type { SourceChunk } from './session-source.ts';

/** What is kept of one session: recordings may not fill a disk. Then it goes on unrecorded, and the file says so. */
export const RECORDING_BYTES_MAX: number = 64 * 1024 * 1024;

/** A terminal's output on the host's disk, playable with `asciinema play`. Source: asciicast format, version 2. */
export class Asciicast implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #startedAt = performance.now();
  readonly #text = { 1: new StringDecoder('utf8'), 2: new StringDecoder('utf8') };
  #bytes = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Begins a new file, readable by its owner alone. @throws the file system's error. */
  static async create(
    path: string,
    session: { readonly size: TerminalRect; readonly command: readonly string[] },
  ): Promise<Asciicast> {
    const file = await open(path, 'wx', 0o600);
    const head = {
      version: 2,
      width: session.size.columns,
      height: session.size.rows,
      timestamp: Math.floor(Date.now() / 1000),
      command: session.command.join(' '),
    };
    await file.write(`${JSON.stringify(head)}\n`);
    return new Asciicast(file);
  }

  /** Resolves when it is with the operating system. @throws the file system's error. */
  async write({ stream, bytes }: SourceChunk): Promise<void> {
    if (this.#bytes > RECORDING_BYTES_MAX) return;
    this.#bytes += bytes.length;
    const isFull = this.#bytes > RECORDING_BYTES_MAX;
    const text = isFull ? '\r\n[… the recording ends here]\r\n' : this.#text[stream].write(Buffer.from(bytes));
    const seconds = (performance.now() - this.#startedAt) / 1000;
    if (text !== '') await this.#file.write(`${JSON.stringify([Number(seconds.toFixed(6)), 'o', text])}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
