import { EngineError } from '@fairlead/protocol';
import {
  SESSION_RING_BYTES,
  type SessionFrame,
  type SessionKind,
  SessionReceiver,
  SessionRing,
  SessionSender,
  type TerminalRect,
} from '@fairlead/protocol/fleet';
import { wordsOf } from '../../lib/log.ts';
import type { Denial } from '../policy/policy.ts';
import type { AgentChannel, OpenChannel } from './agent-channel.ts';
import type { AgentSession, ViewerRights } from './session.ts';
import type { SessionSource, SourceChunk } from './session-source.ts';

/** A program goes on without anybody looking at it; its session waits this long for somebody to come back. */
export const PROGRAM_ABANDONED_MS: number = 10 * 60_000;
/** How long the end of a session can still be asked for. */
const ENDED_MS = 60_000;

/** Who writes a session down. Disposed of at the program's end. @throws when it cannot: then the session does not go on. */
export interface SessionRecorder extends AsyncDisposable {
  output(chunk: SourceChunk): Promise<void>;
  input(bytes: Uint8Array): Promise<void>;
  resize(size: TerminalRect): Promise<void>;
}

/** What a stream session is made of. */
export interface StreamSessionParts {
  readonly kind: Exclude<SessionKind, 'tunnel'>;
  readonly source: SessionSource;
  /** Writes down what is shown before anybody sees it, and what is typed before the program does. */
  readonly recorder?: SessionRecorder | undefined;
}

type Exit = Extract<SessionFrame, { readonly kind: 'exit' }>;
type Aside = Extract<SessionFrame, { readonly kind: 'resize' | 'signal' }>;

/**
 * A program, a container's streams or a log, for any number of viewers: what it writes is kept in a ring of
 * `SESSION_RING_BYTES`, so a viewer that comes back goes on where it was, and one that is slower is told how much it missed.
 * The program never waits for a viewer. One may type, the others watch.
 */
export class StreamSession implements AgentSession {
  readonly kind: SessionKind;
  readonly abandonedMs: number = PROGRAM_ABANDONED_MS;
  readonly over: Promise<void>;
  readonly #parts: StreamSessionParts;
  readonly #ring = new SessionRing();
  readonly #input = new SessionReceiver();
  readonly #viewers = new Set<Viewer>();
  /** The one that may type. */
  #writer: Viewer | undefined;
  /** What was typed is written in order. */
  #writing: Promise<void> = Promise.resolve();
  #exit: Exit | undefined;
  readonly #overNow = Promise.withResolvers<void>();

  constructor(parts: StreamSessionParts) {
    this.#parts = parts;
    this.kind = parts.kind;
    this.over = this.#overNow.promise;
    void this.#show();
  }

  get tty(): boolean {
    return this.#parts.source.tty;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  join(open: OpenChannel, options: ViewerRights & { readonly changed: () => void }): void {
    const viewer: Viewer = new Viewer(open, {
      signalsDenied: options.signalsDenied,
      // Who only looks at a program takes it from nobody; a log has nobody else.
      mayEnd: options.write || this.kind === 'logs',
      ring: this.#ring,
      exit: () => this.#exit,
      receive: (frame) => this.#receive(viewer, frame),
      lost: () => {
        this.#viewers.delete(viewer);
        if (this.#writer === viewer) this.#writer = undefined;
        options.changed();
      },
    });
    this.#viewers.add(viewer);
    if (!options.write) return;
    this.#writer?.send({ kind: 'close', reason: 'another viewer types now' });
    this.#writer = viewer;
    viewer.send(this.#input.grant());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.source[Symbol.asyncDispose]();
    for (const viewer of this.#viewers) viewer.leave();
    this.#overNow.resolve();
  }

  async #show(): Promise<void> {
    const { source, recorder } = this.#parts;
    try {
      for await (const chunk of source.output()) {
        await recorder?.output(chunk);
        this.#ring.append(chunk.stream, chunk.bytes);
        this.#ring.discardBefore(this.#ring.end - SESSION_RING_BYTES);
        for (const viewer of this.#viewers) viewer.pump();
      }
      const exitCode = await source.exitCode();
      await recorder?.[Symbol.asyncDispose]();
      this.#end({ exitCode, reason: '' });
    } catch (error) {
      this.#end({ exitCode: null, reason: wordsOf(error) });
      // When it cannot be closed, either: that is why it ended.
      await recorder?.[Symbol.asyncDispose]().then(null, () => {});
    }
  }

  #end(how: Pick<Exit, 'exitCode' | 'reason'>): void {
    this.#exit = { kind: 'exit', offset: this.#ring.end, ...how };
    for (const viewer of this.#viewers) viewer.pump();
    setTimeout(() => void this[Symbol.asyncDispose](), ENDED_MS).unref();
  }

  #receive(viewer: Viewer, frame: SessionFrame): void {
    const { source } = this.#parts;
    if (frame.kind === 'close') return void (viewer.mayEnd && this[Symbol.asyncDispose]());
    if (frame.kind === 'resize' || frame.kind === 'signal') return void this.#answer(viewer, frame);
    if (viewer !== this.#writer) return;
    switch (frame.kind) {
      case 'bytes': {
        const fresh = this.#input.take(frame.offset, frame.bytes);
        if (fresh !== undefined) this.#then(() => this.#type(fresh));
        return;
      }
      case 'half-close':
        return this.#then(() => source.endInput());
      case 'answer':
      case 'credit':
      case 'skipped':
      case 'exit':
      case 'ping':
        return undefined;
      default:
        return frame satisfies never;
    }
  }

  async #type(bytes: Uint8Array): Promise<void> {
    await this.#parts.recorder?.input(bytes);
    await this.#parts.source.write(bytes);
    const credit = this.#input.consume(bytes.length);
    if (credit !== undefined) this.#writer?.send(credit);
  }

  #then(act: () => Promise<void> | void): void {
    this.#writing = this.#writing.then(act).catch(() => {
      // The program does not read any more; how it ended is told by its output's end.
    });
  }

  /** Does what was asked beside the input, past a full window, and says what became of it. */
  async #answer(viewer: Viewer, asked: Aside): Promise<void> {
    const refusal = await this.#perform(viewer, asked).then(() => null, wordsOf);
    viewer.send({ kind: 'answer', id: asked.id, refusal });
  }

  async #perform(viewer: Viewer, asked: Aside): Promise<void> {
    if (viewer !== this.#writer) throw new EngineError('conflict', 'only the viewer that may type is heard');
    if (this.#exit !== undefined) throw new EngineError('conflict', 'the session has ended');
    if (asked.kind === 'resize') {
      await this.#parts.source.resize(asked);
      return await this.#parts.recorder?.resize(asked);
    }
    const denied = viewer.signalsDenied;
    if (denied !== undefined) throw new EngineError('forbidden', `${denied.message} (${denied.rule})`);
    await this.#parts.source.signal(asked.signal);
  }
}

interface ViewerParts {
  readonly signalsDenied: Denial | undefined;
  readonly mayEnd: boolean;
  readonly ring: SessionRing;
  readonly exit: () => Exit | undefined;
  readonly receive: (frame: SessionFrame) => void;
  readonly lost: () => void;
}

/** Somebody who looks, with a place of their own in the ring. */
class Viewer {
  readonly #channel: AgentChannel;
  readonly #parts: ViewerParts;
  /** There is none before the viewer has said from where on it reads. */
  #sender: SessionSender | undefined;
  #toldEnd = false;

  constructor(open: OpenChannel, parts: ViewerParts) {
    this.#parts = parts;
    this.#channel = open({
      receive: (frame) => {
        if (frame.kind === 'credit') this.#credit(frame.offset, frame.limit);
        parts.receive(frame);
      },
      lost: parts.lost,
    });
  }

  get signalsDenied(): Denial | undefined {
    return this.#parts.signalsDenied;
  }

  get mayEnd(): boolean {
    return this.#parts.mayEnd;
  }

  send(frame: SessionFrame): void {
    this.#channel.send(frame);
  }

  pump(): void {
    if (this.#sender === undefined) return;
    this.#sender.pump();
    const exit = this.#parts.exit();
    if (exit === undefined || this.#toldEnd || !this.#sender.hasSent(exit.offset)) return;
    this.#toldEnd = true;
    this.#channel.send(exit);
  }

  leave(): void {
    this.#channel[Symbol.dispose]();
  }

  #credit(offset: number, limit: number): void {
    this.#sender ??= new SessionSender(this.#parts.ring, { offset, send: (frame) => this.#channel.send(frame) });
    this.#sender.credit(limit);
    this.pump();
  }
}
