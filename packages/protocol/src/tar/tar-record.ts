import type { BytePath } from './byte-path.ts';

/** Everything in a tar comes in blocks. Source: POSIX.1-2017, pax, "ustar Interchange Format". */
export const TAR_BLOCK_BYTES = 512;

export type TarRecordType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** What a tar says about one file. */
export interface TarRecord {
  /** As written. */
  readonly name: BytePath;
  readonly type: TarRecordType;
  /** Permission bits with setuid, setgid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the content that follows; 0 for all but files. */
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
  readonly accessedAt: Date | undefined;
  /** Where a link points; empty for others. */
  readonly linkName: BytePath;
  readonly major: number;
  readonly minor: number;
  /** Extended attributes. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
}

/** How types are written. Source: POSIX.1-2017, pax, "typeflag". */
export const TAR_TYPE_FLAGS: Readonly<Record<TarRecordType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** Prefix of the pax records that hold extended attributes, as star, GNU tar and Go write them. */
export const PAX_ATTRIBUTE_PREFIX = 'SCHILY.xattr.';

/** Sum of a header's bytes, its own checksum counted as blanks. */
export function tarChecksum(header: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) sum += at >= 148 && at < 156 ? 0x20 : (header[at] ?? 0);
  return sum;
}

/** Bytes that fill the last block of content. */
export function tarPaddingBytes(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}
