/**
 * A path or name as the file system has it, one character per byte (latin-1): names need not be UTF-8. Turn it into text for people
 * with {@link shownPath} only.
 */
export type BytePath = string;

/** As the kernel wants it. */
export function pathBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** From what the kernel or an archive gave. */
export function bytePath(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** From what a person typed. */
export function bytePathOf(text: string): BytePath {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** For a person: bytes that are no UTF-8 become replacement characters. */
export function shownPath(path: BytePath): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

/** Parts between slashes without empty ones and `.`; `..` takes the one before it, and stays at the start of a relative path. */
export function pathParts(path: BytePath): readonly BytePath[] {
  const absolute = path.startsWith('/');
  const kept: BytePath[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!absolute) kept.push(part);
  }
  return kept;
}
