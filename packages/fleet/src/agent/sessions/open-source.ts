import type { ProcessSession } from '@fairlead/client';
import { EngineError, parseSignal } from '@fairlead/protocol';
import type { SessionOpen } from '@fairlead/protocol/fleet';
import type { EngineSide } from '../engine/engine-side.ts';
import { signalExec } from '../engine/signal-exec.ts';
import type { SessionSource } from './session-source.ts';

/** Opens what a session shows, on the host's engine. @throws as the client's `spawn`, `attach` and `logs`. */
export async function openSource(
  engine: EngineSide,
  open: Exclude<SessionOpen, { readonly kind: 'tunnel' }>,
  signal: AbortSignal,
): Promise<SessionSource> {
  switch (open.kind) {
    case 'exec':
      return await execSource(engine, open, signal);
    case 'attach':
      return await attachSource(engine, open, signal);
    case 'logs':
      return logSource(engine, open);
    default:
      return open satisfies never;
  }
}

const NO_SIGNAL =
  'the signal was not delivered: engines have no request for that, and this agent cannot be certain of the program’s pid';

async function execSource(
  engine: EngineSide,
  open: Extract<SessionOpen, { readonly kind: 'exec' }>,
  signal: AbortSignal,
): Promise<SessionSource> {
  const { container, argv, tty = false, stdin = tty, env, user, workingDir, size } = open;
  const session = await engine.client.containers.spawn(container, argv, { tty, stdin, env, user, workingDir, size });
  if (signal.aborted) await session[Symbol.asyncDispose]();
  signal.throwIfAborted();
  return {
    ...streamsOf(session),
    signal: async (name) => {
      const isDelivered = await signalExec(engine, { execId: session.id, number: parseSignal(name) }, signal);
      if (!isDelivered) throw new EngineError('not-implemented', NO_SIGNAL);
    },
    exitCode: () => session.exitCode(),
  };
}

async function attachSource(
  { client }: EngineSide,
  open: Extract<SessionOpen, { readonly kind: 'attach' }>,
  signal: AbortSignal,
): Promise<SessionSource> {
  const { container, stdin = false } = open;
  const wait = await client.containers.openWait(container, { condition: 'next-exit' });
  const session = await client.containers.attach(container, { stdin, stdout: true, stderr: true });
  if (signal.aborted) await session[Symbol.asyncDispose]();
  signal.throwIfAborted();
  return {
    ...streamsOf(session),
    signal: async (name) => {
      await client.containers.kill(container, { stopSignal: name });
    },
    exitCode: () => wait.exitCode,
  };
}

function streamsOf(session: ProcessSession): Omit<SessionSource, 'signal' | 'exitCode'> {
  return {
    tty: session.tty,
    async *output() {
      for await (const { stream, bytes } of session.output()) yield { stream: stream === 'stderr' ? 2 : 1, bytes };
    },
    write: (bytes) => session.write(bytes),
    endInput: () => session.endInput(),
    resize: (size) => session.resize(size),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function logSource({ client }: EngineSide, open: Extract<SessionOpen, { readonly kind: 'logs' }>): SessionSource {
  const over = new AbortController();
  const { container, follow = false, tail } = open;
  return {
    tty: false,
    async *output() {
      const lines = client.containers.logs(container, { follow, tail, signal: over.signal });
      for await (const { stream, text } of lines) {
        yield { stream: stream === 'stderr' ? 2 : 1, bytes: Buffer.from(`${text}\n`) };
      }
    },
    write: () => Promise.resolve(),
    endInput: () => {},
    resize: () => Promise.reject(new EngineError('conflict', 'a log has no size')),
    signal: () => Promise.reject(new EngineError('conflict', 'a log takes no signals')),
    exitCode: () => Promise.resolve(null),
    [Symbol.asyncDispose]: async () => over.abort(),
  };
}
