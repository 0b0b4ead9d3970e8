import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitOrAbort } from '../wait-or-abort.ts';
import { end, endOf, keepEnd, letGo, type ProcessEnd } from './process-stream.ts';

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
  #login: Promise<boolean> | undefined;
  #child: ChildProcessWithoutNullStreams | undefined;
  #isOff = false;

  constructor(deps: SharedSshDeps) {
    this.#deps = deps;
    const name = `fairlead-ssh-${randomBytes(8).toString('hex')}`;
    const path = join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), name);
    this.#path = Buffer.byteLength(path) > CONTROL_PATH_BYTES_MAX ? join('/tmp', name) : path;
  }

  /**
   * What to put in front of ssh's arguments so that it shares the login; logs in when nobody has yet.
   *
   * @throws what `refusal` makes of a failed login; the signal's reason.
   */
  async options(signal: AbortSignal): Promise<readonly string[]> {
    if (this.#isOff) return [];
    const isShared = await waitOrAbort((this.#login ??= this.#logIn()), signal);
    // When the socket is gone meanwhile, ssh logs in by itself.
    return isShared ? ['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#path}`] : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOff = true;
    // It may just be starting.
    await this.#login?.catch(() => {});
    const child = this.#child;
    if (child === undefined) return;
    end(child);
    if (child.exitCode === null && child.signalCode === null) await endOf(child);
    await rm(this.#path, { force: true });
  }

  /** @returns whether it can be shared. */
  async #logIn(): Promise<boolean> {
    const own = ['-o', 'ControlMaster=yes', '-o', 'ControlPersist=no', '-o', `ControlPath=${this.#path}`];
    const child = await this.#deps.start(own, [HOLD]);
    this.#child = child;
    const stderr = keepEnd(child);
    const ended = endOf(child);
    for (const part of [child.stdin, child.stdout, child.stderr]) part.on('error', () => {});
    child.stdout.resume();
    letGo(child);
    const seen: { end?: ProcessEnd } = {};
    void ended.then((end) => {
      seen.end = end;
      this.#login = undefined;
      // Over there nothing can be held open: not again.
      if (end.code !== EXIT_SSH && end.code !== null) this.#isOff = true;
    });
    while (seen.end === undefined && !(await isThere(this.#path))) await sleep(POLL_MS);
    const how = seen.end;
    if (how === undefined) return true;
    if (how.code === EXIT_SSH || how.code === null) throw this.#deps.refusal(how, stderr());
    return false;
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
