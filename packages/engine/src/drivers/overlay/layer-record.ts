import { EngineError } from '@fairlead/protocol';
import type { Digest } from '../../core/ports/content-store.ts';

/** What `layer.json` in a layer's directory says. */
export interface LayerRecord {
  readonly version: 1;
  readonly chainId: Digest;
  readonly parentChainId: Digest | null;
  readonly diffId: Digest;
  readonly sizeBytes: number;
  /**
   * The boot in which the layer was unpacked, while its files may still be in memory only; null once they are on disk.
   * Source: /proc/sys/kernel/random/boot_id.
   */
  readonly unsyncedInBoot: string | null;
}

/** A layer.json is under 1 KiB. */
export const LAYER_RECORD_BYTES_MAX = 4096;

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @throws EngineError 'internal' when the text is not a layer record. */
export function parseLayerRecord(text: string): LayerRecord {
  const document: unknown = JSON.parse(text);
  if (isLayerRecord(document)) return document;
  throw new EngineError('internal', 'not a layer record', { details: { text } });
}

function isLayerRecord(value: unknown): value is LayerRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  if (fields['version'] !== 1 || !isDigest(fields['chainId']) || !isDigest(fields['diffId'])) return false;
  if (fields['parentChainId'] !== null && !isDigest(fields['parentChainId'])) return false;
  if (fields['unsyncedInBoot'] !== null && typeof fields['unsyncedInBoot'] !== 'string') return false;
  return Number.isSafeInteger(fields['sizeBytes']);
}

function isDigest(value: unknown): boolean {
  return typeof value === 'string' && DIGEST.test(value);
}
