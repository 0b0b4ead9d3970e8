import { EngineError } from '@fairlead/protocol';

/** A JSON object from outside: any key may hold anything. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads JSON that came with an image and must be an object.
 * @throws EngineError 'invalid-argument' that names `what`.
 */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  const document = parseJson(bytes, what);
  if (isJsonObject(document)) return document;
  throw new EngineError('invalid-argument', `invalid ${what}: not a JSON object`);
}

/** As {@link parseJsonObject}, for a list of objects. */
export function parseJsonObjects(bytes: Uint8Array, what: string): readonly JsonObject[] {
  const document = parseJson(bytes, what);
  if (Array.isArray(document) && document.every(isJsonObject)) return document;
  throw new EngineError('invalid-argument', `invalid ${what}: not a list of JSON objects`);
}

/** Whether it is an object with keys, not a list and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text; absent and null are ''. @throws EngineError 'invalid-argument' for anything else. */
export function textOf(object: JsonObject, key: string): string {
  const value = object[key] ?? '';
  if (typeof value === 'string') return value;
  throw wrongType(key, 'a text');
}

/** A list of texts; undefined when absent or null. @throws EngineError 'invalid-argument' for anything else. */
export function textsOf(object: JsonObject, key: string): readonly string[] | undefined {
  const value = object[key] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw wrongType(key, 'a list of texts');
}

/** Text values by key; undefined when absent or null. @throws EngineError 'invalid-argument' for anything else. */
export function textMapOf(object: JsonObject, key: string): Readonly<Record<string, string>> | undefined {
  const value = objectOf(object, key);
  if (value === undefined) return undefined;
  const entries = Object.entries(value).map(
    ([name, text]) => [name, typeof text === 'string' ? text : undefined] as const,
  );
  if (entries.some(([, text]) => text === undefined)) throw wrongType(key, 'a map of texts');
  return Object.fromEntries(entries.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}

/** A set, as Go writes it: keys to empty objects; undefined when absent or null. */
export function keySetOf(
  object: JsonObject,
  key: string,
): Readonly<Record<string, Readonly<Record<string, never>>>> | undefined {
  const value = objectOf(object, key);
  return value === undefined ? undefined : Object.fromEntries(Object.keys(value).map((name) => [name, {}]));
}

/** A whole number; undefined when absent or null. @throws EngineError 'invalid-argument' for anything else. */
export function integerOf(object: JsonObject, key: string): number | undefined {
  const value = object[key] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw wrongType(key, 'a whole number');
}

/** An object; undefined when absent or null. @throws EngineError 'invalid-argument' for anything else. */
export function objectOf(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key] ?? undefined;
  if (value === undefined || isJsonObject(value)) return value;
  throw wrongType(key, 'an object');
}

/** A list of objects; empty when absent or null. @throws EngineError 'invalid-argument' for anything else. */
export function objectsOf(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key] ?? [];
  if (Array.isArray(value) && value.every(isJsonObject)) return value;
  throw wrongType(key, 'a list of objects');
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new EngineError('invalid-argument', `invalid ${what}: not JSON`, { cause });
  }
}

function wrongType(key: string, wanted: string): EngineError {
  return new EngineError('invalid-argument', `invalid image: ${key} is not ${wanted}`);
}
