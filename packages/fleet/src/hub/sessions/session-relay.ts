import {
  type EncodedFrame,
  frameBytes,
  frameParts,
  type HostId,
  hostSubjects,
  isInputFrame,
  type RecordingAnswer,
  recordingAnswerSchema,
  type RecordingRequest,
  SESSION_CREDIT_BYTES_MAX,
  type SessionAnswer,
  sessionAnswerSchema,
  type SessionRequest,
} from '@fairlead/protocol/fleet';
import { NoRespondersError, type NatsConnection, RequestError } from '@nats-io/nats-core';
import * as v from 'valibot';
import { type AgentQuestion, askAgent } from '../../nats/ask-agent.ts';
import { HubError } from '../operation/hub-error.ts';
import { HubTrunks } from './hub-trunks.ts';

/** How long an agent may take to open a session: its engine has to start a program. */
const OPEN_WITHIN_MS = 30_000;

/** A look into a directory, or a piece of a file. */
const RECORDINGS_WITHIN_MS = 15_000;

/** How long a caller may take to read the end of a session. */
export const LAST_WORDS_WITHIN_MS = 15_000;

/** What may wait for a caller to read it: no more is on its way to one who grants credit for what was written out. Who does not is cut off. */
export const UNREAD_BYTES_MAX: number = 2 * SESSION_CREDIT_BYTES_MAX;

/** Refusals of an agent that are passed on as they are; every other one means that it cannot be opened now. */
const CODES = [
  'SESSION_LOST',
  'DENIED_BY_POLICY',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'INVALID',
  'TOO_MANY',
] as const;

/** A session that an agent has opened or joined. */
export type Opened = Extract<SessionAnswer, { readonly opened: true }>;

/** What a caller's connection carries frames with: a byte stream, or a WebSocket. */
export interface FrameCarrier {
  /** What came from the caller. Ends with the connection. @throws EngineError when it makes no sense. */
  frames(): AsyncIterable<EncodedFrame>;
  /** Hands on a frame. What is on its way is bounded by the caller's credit. */
  send(frame: EncodedFrame): void;
  /** Ends the connection. */
  close(): void;
}

/** One caller's connection, from the question on. */
interface Carried {
  readonly host: HostId;
  readonly actor: string;
  /** There is none before the agent has agreed. */
  carrier: FrameCarrier | undefined;
  isCut: boolean;
}

/** Where a channel's frames come from and go to. */
interface AgentSide extends Disposable {
  send(frame: EncodedFrame): void;
  /** Undefined while there is room. */
  room(): Promise<void> | undefined;
}

/**
 * Carries a session's frames between a caller's connection and the agent, on its trunk or over NATS. It keeps nothing: an id names its
 * host, the agent knows the token, so any hub of the fleet carries a session on after another one died.
 */
export class SessionRelay implements AsyncDisposable {
  /** The agents' straight ways here. */
  readonly trunks: HubTrunks = new HubTrunks();
  readonly #nats: NatsConnection;
  readonly #carried = new Set<Carried>();

  constructor(nats: NatsConnection) {
    this.#nats = nats;
  }

  /** Asks the host's agent. @throws HubError 'HOST_OFFLINE' when there is none, 'UNAVAILABLE' when it does not answer, else its refusal. */
  async ask(host: HostId, request: SessionRequest): Promise<Opened> {
    const asked = { rpc: 'session', question: request, timeoutMs: OPEN_WITHIN_MS } as const;
    const answer = await this.#request(host, asked, sessionAnswerSchema);
    if (answer.opened) return answer;
    throw refusalOf(answer);
  }

  /** Asks about the host's recordings. @throws HubError as `ask`. */
  async askAboutRecordings<K extends RecordingAnswer['kind']>(
    host: HostId,
    request: RecordingRequest,
    kind: K,
  ): Promise<Extract<RecordingAnswer, { readonly kind: K }>> {
    const asked = { rpc: 'recordings', question: request, timeoutMs: RECORDINGS_WITHIN_MS } as const;
    const answer = await this.#request(host, asked, recordingAnswerSchema);
    if (isOfKind(answer, kind)) return answer;
    throw answer.kind === 'refused' ? refusalOf(answer) : new HubError('UNAVAILABLE', 'the agent gave another answer');
  }

  /**
   * Opens or joins a session and carries it until either side's connection ends. `begin` is called once the agent agreed, and gives
   * what to carry on.
   *
   * @throws HubError as `ask`, before `begin` was called.
   */
  async carry(
    host: HostId,
    request: SessionRequest & { readonly channel: string },
    begin: (opened: Opened) => FrameCarrier | Promise<FrameCarrier>,
  ): Promise<void> {
    const { channel } = request;
    using carried = this.#add({ host, actor: request.actor.name, carrier: undefined, isCut: false });
    // The agent's first frames come before its answer, on either way.
    const early: EncodedFrame[] = [];
    const to = { send: (frame: EncodedFrame): void => void early.push(frame) };
    using nats = this.#onNats(host, channel, (frame) => to.send(frame));
    using expected = this.trunks.expect(host, channel, (frame) => to.send(frame));
    const opened = await this.ask(host, { ...request, hub: this.trunks.hub });
    const carrier = await begin(opened);
    carried.of.carrier = carrier;
    if (carried.of.isCut) carrier.close();
    for (const frame of early) carrier.send(frame);
    to.send = (frame) => carrier.send(frame);
    using trunk = this.#onTrunk(host, { channel, carrier, id: opened.trunk });
    expected[Symbol.dispose]();
    if (trunk !== undefined) nats[Symbol.dispose]();
    const agent = trunk ?? nats;
    try {
      for await (const frame of carrier.frames()) {
        agent.send(frame);
        // Nothing more is taken from the caller while the way is full.
        await agent.room();
      }
    } catch (error) {
      // Cut, or not frames: the caller comes back, or does not.
      if (!(error instanceof Error)) throw error;
    } finally {
      carrier.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cut(() => true);
  }

  /** Ends the connections to one host's sessions; the sessions themselves go on. */
  cut(host: HostId): void {
    this.trunks.cut(host);
    this.#cut((one) => one.host === host);
  }

  /** Ends the connections of somebody who may not look any more; the sessions themselves go on. */
  cutActor(name: string): void {
    this.#cut((one) => one.actor === name);
  }

  #cut(which: (one: Carried) => boolean): void {
    for (const one of this.#carried) {
      if (!which(one)) continue;
      one.isCut = true;
      one.carrier?.close();
    }
  }

  #add(of: Carried): { readonly of: Carried } & Disposable {
    this.#carried.add(of);
    return { of, [Symbol.dispose]: () => void this.#carried.delete(of) };
  }

  #onNats(host: HostId, channel: string, receive: (frame: EncodedFrame) => void): AgentSide {
    const { sessionOutput, sessionInput, sessionControl } = hostSubjects(host);
    const take = (message: Uint8Array): void => {
      const frame = frameParts(message);
      if (frame !== undefined) receive(frame);
    };
    const output = this.#nats.subscribe(sessionOutput(channel), { callback: (_, { data }) => take(data) });
    return {
      send: (frame) => {
        const subject = isInputFrame(frame) ? sessionInput : sessionControl;
        this.#nats.publish(subject(channel), frameBytes(frame));
      },
      room: () => undefined,
      [Symbol.dispose]: () => output.isClosed() || output.unsubscribe(),
    };
  }

  /** The way of a channel that its agent has put on a trunk. A trunk that has ended meanwhile ends the caller's connection, too. */
  #onTrunk(
    host: HostId,
    {
      channel,
      carrier,
      id,
    }: { readonly channel: string; readonly carrier: FrameCarrier; readonly id: string | undefined },
  ): AgentSide | undefined {
    if (id === undefined) return undefined;
    const trunk = this.trunks.get(host, id);
    if (trunk === undefined) carrier.close();
    const opened = trunk?.open(channel, { receive: (frame) => carrier.send(frame), lost: () => carrier.close() });
    return {
      send: (frame) => trunk?.send(channel, frame),
      room: () => trunk?.room,
      [Symbol.dispose]: () => opened?.[Symbol.dispose](),
    };
  }

  async #request<T>(host: HostId, asked: AgentQuestion, schema: v.GenericSchema<unknown, T>): Promise<T> {
    try {
      return v.parse(schema, await askAgent(this.#nats, host, asked));
    } catch (cause) {
      const isOffline = cause instanceof NoRespondersError || (cause instanceof RequestError && cause.isNoResponders());
      throw isOffline
        ? new HubError('HOST_OFFLINE', 'the host is offline: its agent is not connected to the hub', { cause })
        : new HubError('UNAVAILABLE', 'the host’s agent does not answer at the moment', { cause });
    }
  }
}

function refusalOf({ code, message }: { readonly code: string; readonly message: string }): HubError {
  return new HubError(CODES.find((known) => known === code) ?? 'UNAVAILABLE', message);
}

function isOfKind<K extends RecordingAnswer['kind']>(
  answer: RecordingAnswer,
  kind: K,
): answer is Extract<RecordingAnswer, { readonly kind: K }> {
  return answer.kind === kind;
}
