/**
 * Splits at blanks outside of quotes; quotes and backslashes stay for {@link expandVariables}.
 * Source: moby/buildkit, frontend/dockerfile/parser/line_parsers.go, parseWords.
 */
export function splitWords(text: string): readonly string[] {
  return Array.from(text.matchAll(/(?:[^\s"'\\]|\\.|\\$|"(?:[^"\\]|\\.)*"?|'[^']*'?)+/gs), ([word]) => word);
}

/**
 * Takes quotes and backslashes away and puts in variables: `$A`, `${A}`, `${A:-default}`, `${A:+instead}`; not within
 * single quotes. Unknown variables are empty. Source: moby/buildkit, frontend/dockerfile/shell/lex.go.
 */
export function expandVariables(word: string, env: readonly string[]): string {
  let out = '';
  for (const [token] of word.matchAll(TOKEN)) out += expandToken(token, env);
  return out;
}

const VARIABLE = String.raw`\$(?:\{[^}]*\}|[A-Za-z_][A-Za-z0-9_]*)`;
const TOKEN = new RegExp(String.raw`'[^']*'?|"(?:[^"\\]|\\.)*"?|\\.|${VARIABLE}|.`, 'gs');
const IN_DOUBLE_QUOTES = new RegExp(String.raw`\\.|${VARIABLE}|.`, 'gs');
const BRACED = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::([-+])(.*))?\}$/s;

function expandToken(token: string, env: readonly string[]): string {
  const first = token.charAt(0);
  if (first === "'") return token.slice(1, token.length > 1 && token.endsWith("'") ? -1 : undefined);
  if (first === '"') return expandQuoted(token.slice(1, token.length > 1 && token.endsWith('"') ? -1 : undefined), env);
  if (first === '\\') return token.slice(1);
  return first === '$' && token.length > 1 ? valueOf(token, env) : token;
}

function expandQuoted(text: string, env: readonly string[]): string {
  return Array.from(text.matchAll(IN_DOUBLE_QUOTES), ([token]) => {
    // Within double quotes a backslash escapes only these.
    if (token.startsWith('\\')) return /["$\\]/.test(token.slice(1)) ? token.slice(1) : token;
    return token.startsWith('$') && token.length > 1 ? valueOf(token, env) : token;
  }).join('');
}

function valueOf(token: string, env: readonly string[]): string {
  const braced = BRACED.exec(token);
  const name = braced?.[1] ?? token.slice(1);
  const value = env.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  if (braced?.[2] === '-') return value === '' ? expandVariables(braced[3] ?? '', env) : value;
  if (braced?.[2] === '+') return value === '' ? '' : expandVariables(braced[3] ?? '', env);
  return value;
}
