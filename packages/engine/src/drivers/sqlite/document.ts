const DATE_KEY = '$date';
const BIGINT_KEY = '$bigint';

/** JSON, with dates and big integers marked so that they come back as what they were. */
export function encodeDocument(record: unknown): string {
  // JSON.stringify calls Date's toJSON before the replacer sees it, so the holder is asked for the original.
  return JSON.stringify(record, function replace(this: Record<string, unknown>, key, value: unknown) {
    const original = this[key];
    if (original instanceof Date) return { [DATE_KEY]: original.getTime() };
    if (typeof value === 'bigint') return { [BIGINT_KEY]: value.toString() };
    return value;
  });
}

/** @throws SyntaxError when the text is not JSON. */
export function decodeDocument(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if (DATE_KEY in value && typeof value[DATE_KEY] === 'number') return new Date(value[DATE_KEY]);
    if (BIGINT_KEY in value && typeof value[BIGINT_KEY] === 'string') return BigInt(value[BIGINT_KEY]);
    return value;
  });
}
