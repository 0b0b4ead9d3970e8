import { EngineError, type ContainerId, type ExecConfig, type ExecId } from '@fairlead/protocol';
import type { ExecProcess } from '../ports/container-runtime.ts';
import { execTransition, type ExecEvent, type ExecState } from './machine.ts';

/** One exec: what was asked for, where its life stands, and its process once there is one. */
export class ExecSession {
  readonly id: ExecId;
  readonly containerId: ContainerId;
  readonly config: ExecConfig;
  /** The keys that end its stream. */
  readonly detachKeys: Uint8Array;
  readonly #launched = Promise.withResolvers<ExecProcess>();
  #state: ExecState = { status: 'created' };

  constructor(identity: {
    readonly id: ExecId;
    readonly containerId: ContainerId;
    readonly config: ExecConfig;
    readonly detachKeys: Uint8Array;
  }) {
    this.id = identity.id;
    this.containerId = identity.containerId;
    this.config = identity.config;
    this.detachKeys = identity.detachKeys;
    // Somebody may or may not wait for it, see `launched`.
    this.#launched.promise.catch(() => {});
  }

  get state(): ExecState {
    return this.#state;
  }

  /** Resolves with the process once its start was asked of the runtime; rejects when the exec is discarded before. */
  get launched(): Promise<ExecProcess> {
    return this.#launched.promise;
  }

  /** @throws EngineError 'conflict' when it was started before. */
  apply(event: ExecEvent): void {
    const next = execTransition(this.#state, event);
    if (!next.ok) throw new EngineError(next.kind, `exec command ${this.id} ${next.reason}`);
    this.#state = next.state;
  }

  launch(process: ExecProcess): void {
    this.#launched.resolve(process);
  }

  /** There will be no process. */
  discard(): void {
    this.#launched.reject(new EngineError('not-found', `No such exec instance: ${this.id}`));
  }
}
