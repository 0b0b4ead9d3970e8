import { EngineError, parseDetachKeys, type ContainerRef } from '@fairlead/protocol';
import type { AttachOptions, ConsoleConnection } from '../ports/console.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDeps } from './deps.ts';

export interface AttachContainer {
  /** Live, not only the log. */
  readonly stream: boolean;
  /** Says nothing without `stream`. */
  readonly stdin: boolean;
  /** Comma-separated key names; undefined or empty takes Docker's `ctrl-p,ctrl-q`. */
  readonly detachKeys: string | undefined;
}

export interface Attachment {
  readonly actor: ContainerActor;
  readonly tty: boolean;
  /** False when the container has no stdin to write to. */
  readonly stdin: boolean;
  readonly detachKeys: Uint8Array;
  /** What the client's half-close means. Source: engine-api 6. */
  readonly onHalfClose: 'end-input' | 'close-stream' | 'ignore';
  /** Connects to the run under way, or waits for the next one: then nothing that it writes is missed. Undefined without `stream`. */
  connect(): Promise<ConsoleConnection | undefined>;
}

/**
 * Prepares an attachment: all that can be refused is refused here, before a connection is hijacked.
 * @throws EngineError 'not-found', 'invalid-argument' for bad detach keys, 'conflict' when paused or restarting.
 */
export function attachContainer(
  deps: Pick<ContainerDeps, 'directory' | 'console' | 'attachments' | 'publish'>,
  ref: ContainerRef,
  command: AttachContainer,
): Attachment {
  const actor = deps.directory.resolve(ref);
  const detachKeys = parseDetachKeys(command.detachKeys ?? '');
  const { state } = actor;
  if (state.status === 'running' && state.paused) {
    throw new EngineError('conflict', `container ${ref} is paused, unpause the container before attach`);
  }
  if (state.status === 'restarting') {
    throw new EngineError('conflict', `container ${ref} is restarting, wait until the container is running`);
  }
  const { OpenStdin, StdinOnce, Tty } = actor.record.config;
  const stdin = command.stream && command.stdin && OpenStdin;
  return {
    actor,
    tty: Tty,
    stdin,
    detachKeys,
    onHalfClose: halfCloseRule({ stdin, tty: Tty, stdinOnce: StdinOnce }),
    connect: async () => {
      // Also of who wants the log alone, or nothing. Source: engine-api 6.
      deps.publish(actor.record, 'attach');
      return command.stream ? await connect(deps, actor, { outputOnly: !stdin }) : undefined;
    },
  };
}

function halfCloseRule(facts: {
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly stdinOnce: boolean;
}): Attachment['onHalfClose'] {
  if (!facts.stdin) return 'ignore';
  return facts.tty || !facts.stdinOnce ? 'close-stream' : 'end-input';
}

/** Decided in one turn of the event loop: a start that comes after the attachment's answer finds it waiting. */
async function connect(
  deps: Pick<ContainerDeps, 'console' | 'attachments'>,
  actor: ContainerActor,
  options: AttachOptions,
): Promise<ConsoleConnection> {
  if (actor.state.status === 'running') return await deps.console.attach(actor.id, options);
  const waiting = deps.attachments.await(actor.id, options);
  // It may have gone since it was found: then there is no next run, and nobody else would say so.
  actor.onRemoved(() => void waiting.end())[Symbol.dispose]();
  return waiting;
}
