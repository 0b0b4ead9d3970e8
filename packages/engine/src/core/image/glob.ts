import { EngineError } from '@fairlead/protocol';

/**
 * A pattern of Go's path.Match: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]`, a backslash takes a meaning away.
 * @throws EngineError 'invalid-argument' `syntax error in pattern`.
 */
export function globPattern(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length;) {
    TERM.lastIndex = at;
    const term = TERM.exec(pattern);
    if (term === null) throw new EngineError('invalid-argument', 'syntax error in pattern');
    source += termSource(term);
    at += term[0].length;
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch (cause) {
    // A range whose end comes before its start.
    throw new EngineError('invalid-argument', 'syntax error in pattern', { cause });
  }
}

/** A class, an escaped character, or any other character but the start of a class that never ends. */
const TERM = /\[(\^?)((?:\\.|[^\\\]])+)\]|\\(.)|[^[\\]/suy;

function termSource(term: RegExpExecArray): string {
  const [text, negation, members, escaped] = term;
  if (members !== undefined) return `[${negation ?? ''}${members.replaceAll(/\\(.)|([[^&|~])/gsu, classMember)}]`;
  if (escaped !== undefined) return literal(escaped);
  if (text === '*') return '[^/]*';
  return text === '?' ? '[^/]' : literal(text);
}

function classMember(_match: string, escaped: string | undefined, special: string | undefined): string {
  return literal(escaped ?? special ?? '');
}

/** As a code point: means itself everywhere in a pattern. */
function literal(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}
