import { EngineError } from '../errors.ts';

/** What a person types to leave a terminal and let it run on. Source: docker CLI. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** Longer sequences are refused; nobody types them. */
export const DETACH_KEYS_MAX = 32;

/**
 * Reads `ctrl-p,ctrl-q`: single characters, `ctrl-` with a letter or one of `@ [ \ ] ^ _`, and `DEL`, with commas between.
 *
 * Empty is `DEFAULT_DETACH_KEYS`. `word` is what Docker calls them: `detach` for attach, `escape` for exec.
 * @throws EngineError 'invalid-argument' `Invalid detach keys (X) provided`.
 */
export function parseDetachKeys(spec: string, word: 'detach' | 'escape' = 'detach'): Uint8Array {
  const keys = (spec === '' ? DEFAULT_DETACH_KEYS : spec).split(',').map(keyCode);
  if (keys.length > DETACH_KEYS_MAX || keys.includes(undefined)) {
    throw new EngineError('invalid-argument', `Invalid ${word} keys (${spec}) provided`);
  }
  return Uint8Array.from(keys.map((code) => code ?? 0));
}

/** What the matcher makes of some input. */
export interface DetachMatch {
  /** Bytes for the process, in order: views of what was given, and of the keys where a withheld start was broken off. */
  readonly pass: readonly Uint8Array[];
  /** The keys were typed. What came after them is dropped. */
  readonly detached: boolean;
}

/**
 * Finds the detach keys in a terminal's input, also when they arrive in several pieces.
 *
 * A start of the keys is withheld until the next byte decides: either they are whole, or it is passed on after all. Keys that arrive in one
 * piece count as well, because a network may put them together. Source: moby/term, escapeProxy; older ones look at single bytes only.
 */
export class DetachKeyMatcher {
  readonly #keys: Uint8Array;
  readonly #fallback: readonly number[];
  #matched = 0;

  /** Without keys nothing is ever found. */
  constructor(keys: Uint8Array) {
    this.#keys = keys;
    this.#fallback = fallbackTable(keys);
  }

  push(bytes: Uint8Array): DetachMatch {
    const keys = this.#keys;
    if (keys.length === 0) return { pass: bytes.length === 0 ? [] : [bytes], detached: false };
    const withheldBefore = this.#matched;
    for (let i = 0; i < bytes.length; i += 1) {
      this.#advance(bytes[i] ?? 0);
      if (this.#matched === keys.length) {
        this.#matched = 0;
        return { pass: this.#settled(bytes, { withheldBefore, decided: i + 1 - keys.length }), detached: true };
      }
    }
    return { pass: this.#settled(bytes, { withheldBefore, decided: bytes.length - this.#matched }), detached: false };
  }

  /** The input ended: what was withheld belongs to the process. */
  end(): Uint8Array {
    const withheld = this.#keys.subarray(0, this.#matched);
    this.#matched = 0;
    return withheld;
  }

  // Knuth, Morris, Pratt: a broken start may hold the beginning of the next one (ctrl-p ctrl-p ctrl-q).
  #advance(byte: number): void {
    while (this.#matched > 0 && this.#keys[this.#matched] !== byte)
      this.#matched = this.#fallback[this.#matched - 1] ?? 0;
    if (this.#keys[this.#matched] === byte) this.#matched += 1;
  }

  /** `decided`: where in `bytes` the withheld rest begins; negative when it began in an earlier piece. */
  #settled(
    bytes: Uint8Array,
    span: { readonly withheldBefore: number; readonly decided: number },
  ): readonly Uint8Array[] {
    const fromKeys = this.#keys.subarray(0, Math.max(0, span.withheldBefore + Math.min(0, span.decided)));
    const fromBytes = bytes.subarray(0, Math.max(0, span.decided));
    return [fromKeys, fromBytes].filter((part) => part.length > 0);
  }
}

function keyCode(key: string): number | undefined {
  if (key.length === 1) {
    const code = key.charCodeAt(0);
    return code < 0x80 ? code : undefined;
  }
  if (key === 'DEL') return 0x7f;
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
  if (control === undefined) return undefined;
  return control.toUpperCase().charCodeAt(0) - 0x40;
}

function fallbackTable(keys: Uint8Array): readonly number[] {
  const table: number[] = [0];
  let length = 0;
  for (let i = 1; i < keys.length; i += 1) {
    while (length > 0 && keys[i] !== keys[length]) length = table[length - 1] ?? 0;
    if (keys[i] === keys[length]) length += 1;
    table.push(length);
  }
  return table;
}
