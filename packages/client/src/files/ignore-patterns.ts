/** Which paths of a directory are left out, as a `.dockerignore` says it. */
export interface IgnorePatterns {
  /** `path` is relative, with slashes, without a leading one. */
  ignores(path: string): boolean;
  /** Whether nothing below an ignored directory can be wanted after all. */
  readonly mayPrune: boolean;
}

interface Pattern {
  readonly expression: RegExp;
  readonly wanted: boolean;
}

/** A longer file is refused: every path is held against every line. */
export const IGNORE_LINES_MAX = 10_000;

/**
 * Reads the lines of a `.dockerignore`: Go's `filepath.Match` with `**`, and `!` for exceptions; the last line that matches decides, and a
 * path is matched by what matches a directory above it. Source: moby/patternmatcher.
 *
 * @throws Error for a pattern that cannot be read.
 */
export function parseIgnorePatterns(lines: readonly string[]): IgnorePatterns {
  if (lines.length > IGNORE_LINES_MAX) throw new Error(`.dockerignore has more than ${IGNORE_LINES_MAX} lines`);
  const patterns = lines.flatMap(patternOf);
  return {
    mayPrune: patterns.every(({ wanted }) => !wanted),
    ignores(path) {
      const parents = path.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'));
      const last = patterns.findLast(({ expression }) => parents.some((parent) => expression.test(parent)));
      return last !== undefined && !last.wanted;
    },
  };
}

function patternOf(line: string, at: number): readonly Pattern[] {
  // Some editors write a mark at the start of a file.
  const text = (at === 0 ? line.replace(/^\ufeff/, '') : line).trim();
  if (text === '' || line.startsWith('#')) return [];
  const wanted = text.startsWith('!');
  const path = cleanPath(wanted ? text.slice(1).trim() : text);
  if (path === '' || path === '.') return [];
  return [{ expression: expressionOf(path), wanted }];
}

/** As Go's `filepath.Clean`, less a leading slash: everything is relative to the context. */
function cleanPath(text: string): string {
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..') parts.push(part);
  }
  return parts.join('/');
}

function expressionOf(path: string): RegExp {
  let source = '';
  for (let at = 0; at < path.length; at += 1) {
    const character = path.charAt(at);
    if (path.startsWith('**', at)) {
      const slash = path.charAt(at + 2) === '/';
      // `**/` also stands for no directory at all.
      source += slash ? '(?:.*/)?' : '.*';
      at += slash ? 2 : 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = path.indexOf(']', at + 2);
      if (end < 0) throw new Error(`.dockerignore: syntax error in pattern: ${path}`);
      source += path.slice(at, end + 1).replace(/(?<!\\)\\(?![\\\]^-])/g, '');
      at = end;
    } else if (character === '\\') {
      at += 1;
      source += escaped(path.charAt(at));
    } else source += escaped(character);
  }
  return new RegExp(`^${source}$`, 'su');
}

function escaped(character: string): string {
  return /[$()*+./?[\\\]^{|}-]/.test(character) ? `\\x${character.charCodeAt(0).toString(16)}` : character;
}
