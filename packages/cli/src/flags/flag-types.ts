import type { FlagType } from './flag-set.ts';

const TRUE_WORDS = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE_WORDS = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** A switch; `initial` is true for those that are on unless `--x=false`. */
export function toggle(initial: boolean = false): FlagType<boolean> {
  return {
    word: '',
    initial,
    bare: 'true',
    parse(text) {
      if (TRUE_WORDS.has(text)) return true;
      if (FALSE_WORDS.has(text)) return false;
      throw new Error(`strconv.ParseBool: parsing "${text}": invalid syntax`);
    },
  };
}

/** One text; the last one typed counts. */
export function text(initial: string = '', word: string = 'string'): FlagType<string> {
  return { word, initial, parse: (typed) => typed };
}

/** Texts in the order typed. */
export function list(word: string = 'list'): FlagType<readonly string[]> {
  return { word, initial: [], parse: (typed, previous) => [...previous, typed] };
}

/** Texts in the order typed, each checked. `check` throws what is wrong. */
export function checkedList(check: (typed: string) => void, word: string = 'list'): FlagType<readonly string[]> {
  return {
    word,
    initial: [],
    parse(typed, previous) {
      check(typed);
      return [...previous, typed];
    },
  };
}

/** A whole number; undefined when it was not typed. */
export function integer(): FlagType<number | undefined> {
  return { word: 'int', initial: undefined, parse: parseInteger };
}

/** Any other type: `parse` reads one text, undefined when it was not typed. */
export function parsed<T>(word: string, parse: (typed: string) => T): FlagType<T | undefined> {
  return { word, initial: undefined, parse: (typed) => parse(typed) };
}

/** Go's `strconv.ParseInt` in base 10, within what a JavaScript number holds. */
export function parseInteger(typed: string): number {
  if (!/^[+-]?\d+$/.test(typed)) throw new Error(`strconv.ParseInt: parsing "${typed}": invalid syntax`);
  const number = Number(typed);
  if (!Number.isSafeInteger(number)) throw new Error(`strconv.ParseInt: parsing "${typed}": value out of range`);
  return number;
}
