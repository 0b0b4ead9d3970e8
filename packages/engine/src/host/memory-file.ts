import { closeDescriptor, openMemoryFile } from './native.ts';

/** A file without a name, in memory, for a program that is given its descriptor and reads it by /proc/self/fd/N. */
export class MemoryFile implements Disposable {
  readonly fd: number;

  /** `name` is for people who look at descriptors. @throws an errno error. */
  constructor(name: string, content: string) {
    this.fd = openMemoryFile(name, Buffer.from(content));
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.fd);
  }
}
