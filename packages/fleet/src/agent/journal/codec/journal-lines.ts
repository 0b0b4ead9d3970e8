import { crc32 } from 'node:zlib';
import type { JournalRecord } from '../record.ts';

/** Records that were written and synced together are one line: after a crash it is there whole, or not at all. */
export type Batch = readonly JournalRecord[];

/** What a journal's bytes hold. */
export interface JournalContent {
  readonly batches: readonly Batch[];
  /** Bytes of the whole batches from the beginning. */
  readonly goodBytes: number;
  /** `torn`: the last write was cut short by a crash, nothing depends on it. `corrupt`: something before a whole batch is broken. */
  readonly damage: 'none' | 'torn' | 'corrupt';
}

const NEWLINE = 0x0a;
const CHECKSUM_CHARACTERS = 8;

/** One line: checksum, blank, the records as JSON. */
export function encodeBatch(batch: Batch): Buffer {
  const text = Buffer.from(JSON.stringify(batch));
  return Buffer.concat([Buffer.from(`${checksum(text)} `), text, Buffer.of(NEWLINE)]);
}

/** Reads all of a journal. Never throws: what cannot be read is damage. */
export function decodeJournal(bytes: Buffer): JournalContent {
  const batches: Batch[] = [];
  let goodBytes = 0;
  let broken = false;
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at);
    const batch = end === -1 ? undefined : decodeLine(bytes.subarray(at, end));
    if (batch !== undefined && broken) return { batches, goodBytes, damage: 'corrupt' };
    if (batch === undefined) broken = true;
    else batches.push(batch);
    at = end === -1 ? bytes.length : end + 1;
    if (!broken) goodBytes = at;
  }
  return { batches, goodBytes, damage: broken ? 'torn' : 'none' };
}

function decodeLine(line: Buffer): Batch | undefined {
  const text = line.subarray(CHECKSUM_CHARACTERS + 1);
  if (line.length <= CHECKSUM_CHARACTERS) return undefined;
  if (line.toString('latin1', 0, CHECKSUM_CHARACTERS + 1) !== `${checksum(text)} `) return undefined;
  try {
    // The checksum says that this program wrote it.
    const batch: unknown = JSON.parse(text.toString('utf8'));
    return Array.isArray(batch) ? (batch as Batch) : undefined;
  } catch {
    // A checksum can fit by chance; then it is damage as well.
    return undefined;
  }
}

function checksum(text: Buffer): string {
  return crc32(text).toString(16).padStart(CHECKSUM_CHARACTERS, '0');
}
