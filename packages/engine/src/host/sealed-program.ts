import { statSync } from 'node:fs';
import { closeDescriptor, openReadOnly } from './native.ts';

/**
 * A program as it can be run on behalf of somebody who may not write to it, not even by /proc/PID/exe: it is seen through a
 * read-only mount that only this engine holds.
 *
 * It follows the file: when another is put in its place, by an update for one, that is run from then on. Linux 5.12.
 */
export class SealedProgram implements Disposable {
  readonly #path: string;
  readonly #former: number[] = [];
  #sealed: { readonly fd: number; readonly identity: string };

  /** @throws an errno error: 'ENOENT'; 'EPERM', 'ENOSYS' where the kernel has no such mounts. */
  constructor(path: string) {
    this.#path = path;
    this.#sealed = { fd: openReadOnly(path), identity: identityOf(path) };
  }

  /** Where to run it from, for any process of this host while the engine lives. @throws 'ENOENT' when it was removed. */
  runPath(): string {
    const identity = identityOf(this.#path);
    if (identity !== this.#sealed.identity) {
      // Somebody may just be starting the one before.
      this.#former.push(this.#sealed.fd);
      this.#sealed = { fd: openReadOnly(this.#path), identity };
    }
    return `/proc/${process.pid}/fd/${this.#sealed.fd}`;
  }

  [Symbol.dispose](): void {
    for (const fd of [...this.#former, this.#sealed.fd]) closeDescriptor(fd);
  }
}

function identityOf(path: string): string {
  const { dev, ino, ctimeMs } = statSync(path);
  return `${dev} ${ino} ${ctimeMs}`;
}
