import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SharedWork } from '../shared-work.ts';
import { endAndReap, endOf, keepEnd, letGo, type ProcessEnd } from './process-stream.ts';

/** ssh binds its socket under a longer name first. Source: openssh mux.c, muxserver_listen; unix(7). */
const CONTROL_PATH_BYTES_MAX = 107 - 17;
/** How often it is looked whether ssh has logged in. */
const POLL_MS = 10;
/** What keeps the connection open over there until our end of its input is closed, be it by our death. */
const HOLD = 'cat';
/** What ssh says of itself. Source: ssh(1). */
const EXIT_SSH = 255;

export interface SharedSshDeps {
  /** Starts ssh to the machine; `options` come first, and `command` is run over there. */
  readonly start: (options: readonly string[], command: readonly string[]) => Promise<ChildProcessWithoutNullStreams>;
  /** Why nobody could log in. */
  readonly refusal: (end: ProcessEnd, stderr: string) => Error;
}

/**
 * One login that later ones share (ssh's ControlMaster), behind a socket of our own.
 *
 * It is a child of this process and ends with it, however that ends: no background process stays, as ssh's ControlPersist would leave
 * one. A machine that allows no sharing is logged in to anew each time.
 */
export class SharedSsh implements AsyncDisposable {
  readonly #deps: SharedSshDeps;
  readonly #path: string;
  readonly #login: SharedWork<boolean>;
  #child: ChildProcessWithoutNullStreams | undefined;
  #isOff = false;

  constructor(deps: SharedSshDeps) {
    this.#deps = deps;
    this.#login = new SharedWork((signal) => this.#logIn(signal));
    // Not imported: cryptography takes as long to load as the rest of the client.
    const { randomBytes } = process.getBuiltinModule('node:crypto');
    const name = `fairlead-ssh-${randomBytes(8).toString('hex')}`;
    const path = join(tmpdir(), name);
    this.#path = Buffer.byteLength(path) > CONTROL_PATH_BYTES_MAX ? join('/tmp', name) : path;
  }

  /**
   * What to put in front of ssh's arguments so that it shares the login; logs in when nobody has yet.
   *
   * @throws what `refusal` makes of a failed login; the signal's reason.
   */
  async options(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#isOff || !(await this.#login.result(signal))) return [];
    // When the socket is gone meanwhile, ssh logs in by itself.
    return ['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#path}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOff = true;
    await this.#login.giveUp();
    if (this.#child !== undefined) await endAndReap(this.#child);
    await rm(this.#path, { force: true });
  }

  /** @returns whether it can be shared. */
  async #logIn(signal: AbortSignal): Promise<boolean> {
    const own = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=no', '-o', `ControlPath=${this.#path}`];
    const child = await this.#deps.start(own, [HOLD]);
    this.#child = child;
    const stderr = keepEnd(child);
    for (const part of [child.stdin, child.stdout, child.stderr]) part.on('error', () => {});
    child.stdout.resume();
    letGo(child);
    const seen: { end?: ProcessEnd } = {};
    void endOf(child).then((end) => {
      seen.end = end;
      this.#login.forget();
      // Over there nothing can be held open: not again.
      if (!isOfSsh(end)) this.#isOff = true;
    });
    while (seen.end === undefined && !signal.aborted && !(await isThere(this.#path))) await sleep(POLL_MS);
    if (signal.aborted) {
      await endAndReap(child);
      throw signal.reason;
    }
    if (seen.end === undefined) return true;
    if (isOfSsh(seen.end)) throw this.#deps.refusal(seen.end, stderr());
    return false;
  }
}

function isOfSsh({ code }: ProcessEnd): boolean {
  return code === EXIT_SSH || code === null;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
