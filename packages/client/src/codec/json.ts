/**
 * Reads JSON as a `T` without a look at it: the type comes from the same row of the endpoint table that the engine serves.
 *
 * @throws SyntaxError when it is not JSON.
 */
export function trustJson<T>(text: string): T {
  return JSON.parse(text) as T;
}

/** The answer of an endpoint that has none: its type is `undefined` by the table. */
export function noDocument<T>(): T {
  return undefined as T;
}

/** As `trustJson`, for a document that was read already. */
export function trustDocument<T>(document: unknown): T {
  return document as T;
}
