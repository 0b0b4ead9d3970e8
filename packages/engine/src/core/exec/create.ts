import { randomBytes } from 'node:crypto';
import {
  EngineError,
  execId,
  parseDetachKeys,
  type ContainerRef,
  type ExecConfig,
  type ExecId,
} from '@fairlead/protocol';
import type { ContainerActor } from '../container/actor.ts';
import type { ExecDeps } from './deps.ts';
import { ExecSession } from './session.ts';

/**
 * Notes that a command is to run in a container; nothing runs yet.
 * @throws EngineError 'not-found', 'invalid-argument' without a command or with bad detach keys, 'conflict' unless the
 *   container runs and is not paused.
 */
export function createExec(
  deps: ExecDeps,
  ref: ContainerRef,
  config: ExecConfig,
): { readonly id: ExecId; readonly actor: ContainerActor } {
  const actor = deps.directory.resolve(ref);
  if ((config.Cmd ?? []).length === 0) throw new EngineError('invalid-argument', 'No exec command specified');
  const detachKeys = parseDetachKeys(config.DetachKeys);
  assertExecutable(actor, ref);
  const id = execId(randomBytes(32).toString('hex'));
  deps.execs.add(new ExecSession({ id, containerId: actor.id, config, detachKeys }));
  deps.publish(actor.record, `exec_create: ${commandLine(config)}`, { execID: id });
  return { id, actor };
}

/** @throws EngineError 'conflict' unless the container runs and is not paused. Source: engine-api 2.2. */
export function assertExecutable(actor: ContainerActor, ref: ContainerRef): void {
  const { state } = actor;
  if (state.status === 'restarting') {
    throw new EngineError('conflict', `Container ${actor.id} is restarting, wait until the container is running`);
  }
  if (state.status !== 'running') throw new EngineError('conflict', `container ${actor.id} is not running`);
  if (state.paused) throw new EngineError('conflict', `Container ${ref} is paused, unpause the container before exec`);
}

/** As events show it: program, blank, arguments. Source: engine-api 5.1. */
export function commandLine(config: ExecConfig): string {
  const [program = '', ...args] = config.Cmd ?? [];
  return `${program} ${args.join(' ')}`;
}
