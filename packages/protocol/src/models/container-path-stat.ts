/** On answers about a path in a container: `encodePathStat`. The docker CLI copies nothing without it. */
export const PATH_STAT_HEADER = 'X-Docker-Container-Path-Stat';

/** Facts about one path in a container. */
export interface ContainerPathStat {
  /** Last part of the path that was asked for. */
  readonly name: string;
  readonly size: number;
  /** As Go's os.FileMode: the type in the upper bits, a directory's is 1 << 31. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string;
  /** Absolute, in the container; empty unless it is a symbolic link. */
  readonly linkTarget: string;
}

/** Value of {@link PATH_STAT_HEADER}: JSON in base64. */
export function encodePathStat(stat: ContainerPathStat): string {
  const { name, size, mode, mtime, linkTarget } = stat;
  const bytes = new TextEncoder().encode(JSON.stringify({ name, size, mode, mtime, linkTarget }));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Undefined when the header is absent or unreadable. */
export function decodePathStat(value: string | undefined): ContainerPathStat | undefined {
  if (value === undefined) return undefined;
  try {
    const text = atob(value);
    const document: unknown = JSON.parse(
      new TextDecoder().decode(Uint8Array.from(text, (character) => character.charCodeAt(0))),
    );
    return isPathStat(document) ? document : undefined;
  } catch {
    // Not base64, or not JSON.
    return undefined;
  }
}

function isPathStat(value: unknown): value is ContainerPathStat {
  if (typeof value !== 'object' || value === null) return false;
  const { name, size, mode, mtime, linkTarget }: Readonly<Record<string, unknown>> = { ...value };
  const texts = [name, mtime, linkTarget].every((text) => typeof text === 'string');
  return texts && typeof size === 'number' && typeof mode === 'number';
}
