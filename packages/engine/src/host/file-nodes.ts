import { atCheckpoint } from './fault-points.ts';
import { getAttribute, listAttributeNames, makeNode, setAttribute } from './native.ts';

/** Source: S_IF bits, stat(2). */
const TYPE_BITS = { character: 0o020_000, block: 0o060_000, fifo: 0o010_000 } as const;

export interface DeviceNode {
  readonly type: keyof typeof TYPE_BITS;
  /** Permission bits, subject to the umask. */
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
}

/** Makes a device node or a FIFO. Character 0:0 is overlayfs's whiteout. @throws an errno error, 'EEXIST'. */
export function makeDeviceNode(path: string | Uint8Array, node: DeviceNode): void {
  atCheckpoint('nodes.make', () => makeNode(path, TYPE_BITS[node.type] | node.mode, node.major, node.minor));
}

/** Sets an extended attribute without following links, `trusted.overlay.opaque` for one. */
export function setExtendedAttribute(path: string | Uint8Array, name: string, value: Uint8Array): void {
  atCheckpoint('nodes.make', () => setAttribute(path, name, value));
}

/** Reads an extended attribute without following links; undefined when it has none of that name. */
export function getExtendedAttribute(path: string | Uint8Array, name: string): Buffer | undefined {
  return getAttribute(path, name);
}

/** Names of a file's extended attributes, without following links. */
export function listExtendedAttributes(path: string | Uint8Array): readonly string[] {
  return listAttributeNames(path)
    .toString('utf8')
    .split('\0')
    .filter((name) => name !== '');
}
