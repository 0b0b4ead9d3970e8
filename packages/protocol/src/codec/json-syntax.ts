/**
 * Says in Go's words why a text is not one JSON document: `invalid JSON: …`, or `unexpected content after JSON`.
 *
 * Call it only with a text that JSON.parse refused. Source: encoding/json scanner.go.
 */
export function explainJson(text: string): string {
  const scan: Scan = { text, at: 0 };
  const problem = scanValue(scan, 0);
  if (problem !== undefined) return `invalid JSON: ${problem}`;
  return 'unexpected content after JSON';
}

interface Scan {
  readonly text: string;
  at: number;
}

/** Source: encoding/json scanner.go, maxNestingDepth; lower, because each level is a call. */
const DEPTH_MAX = 1000;
const END = 'unexpected EOF';

function scanValue(scan: Scan, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return 'exceeded max depth';
  skipSpace(scan);
  const char = scan.text[scan.at];
  if (char === undefined) return END;
  if (char === '{') return scanObject(scan, depth);
  if (char === '[') return scanArray(scan, depth);
  if (char === '"') return scanString(scan);
  if (char === '-' || isDigit(char)) return scanNumber(scan);
  const literal = LITERALS.get(char);
  return literal === undefined ? unexpected(scan, 'looking for beginning of value') : scanLiteral(scan, literal);
}

function scanObject(scan: Scan, depth: number): string | undefined {
  scan.at += 1;
  skipSpace(scan);
  if (scan.text[scan.at] === '}') return advance(scan);
  for (;;) {
    skipSpace(scan);
    if (scan.text[scan.at] !== '"') return unexpected(scan, 'looking for beginning of object key string');
    const key = scanString(scan);
    if (key !== undefined) return key;
    skipSpace(scan);
    if (scan.text[scan.at] !== ':') return unexpected(scan, 'after object key');
    scan.at += 1;
    const value = scanValue(scan, depth + 1);
    if (value !== undefined) return value;
    skipSpace(scan);
    const char = scan.text[scan.at];
    if (char === '}') return advance(scan);
    if (char !== ',') return unexpected(scan, 'after object key:value pair');
    scan.at += 1;
  }
}

function scanArray(scan: Scan, depth: number): string | undefined {
  scan.at += 1;
  skipSpace(scan);
  if (scan.text[scan.at] === ']') return advance(scan);
  for (;;) {
    const value = scanValue(scan, depth + 1);
    if (value !== undefined) return value;
    skipSpace(scan);
    const char = scan.text[scan.at];
    if (char === ']') return advance(scan);
    if (char !== ',') return unexpected(scan, 'after array element');
    scan.at += 1;
  }
}

function scanString(scan: Scan): string | undefined {
  for (scan.at += 1; ; scan.at += 1) {
    const char = scan.text[scan.at];
    if (char === undefined) return END;
    if (char === '"') return advance(scan);
    if (char < ' ') return unexpected(scan, 'in string literal');
    if (char !== '\\') continue;
    scan.at += 1;
    const escaped = scan.text[scan.at];
    if (escaped === undefined) return END;
    if (!'bfnrt\\/"u'.includes(escaped)) return unexpected(scan, 'in string escape code');
    if (escaped !== 'u') continue;
    for (let i = 0; i < 4; i += 1) {
      scan.at += 1;
      if (!/[0-9a-fA-F]/.test(scan.text[scan.at] ?? '')) return unexpected(scan, 'in \\u hexadecimal character escape');
    }
  }
}

function scanNumber(scan: Scan): string | undefined {
  if (scan.text[scan.at] === '-') scan.at += 1;
  if (!isDigit(scan.text[scan.at])) return unexpected(scan, 'in numeric literal');
  if (scan.text[scan.at] === '0') scan.at += 1;
  else skipDigits(scan);
  if (scan.text[scan.at] === '.') {
    scan.at += 1;
    if (!isDigit(scan.text[scan.at])) return unexpected(scan, 'after decimal point in numeric literal');
    skipDigits(scan);
  }
  if (scan.text[scan.at] !== 'e' && scan.text[scan.at] !== 'E') return undefined;
  scan.at += 1;
  if (scan.text[scan.at] === '+' || scan.text[scan.at] === '-') scan.at += 1;
  if (!isDigit(scan.text[scan.at])) return unexpected(scan, 'in exponent of numeric literal');
  skipDigits(scan);
  return undefined;
}

function scanLiteral(scan: Scan, literal: string): string | undefined {
  for (const expected of literal) {
    if (scan.text[scan.at] !== expected) return unexpected(scan, `in literal ${literal} (expecting '${expected}')`);
    scan.at += 1;
  }
  return undefined;
}

const LITERALS: ReadonlyMap<string, string> = new Map([
  ['t', 'true'],
  ['f', 'false'],
  ['n', 'null'],
]);

function unexpected(scan: Scan, context: string): string {
  const code = scan.text.codePointAt(scan.at);
  if (code === undefined) return END;
  return `invalid character ${quote(String.fromCodePoint(code))} ${context}`;
}

// As Go's quoteChar: the quote characters are written the other way round.
function quote(char: string): string {
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}

function advance(scan: Scan): undefined {
  scan.at += 1;
  return undefined;
}

function skipSpace(scan: Scan): void {
  while (' \t\r\n'.includes(scan.text[scan.at] ?? 'x')) scan.at += 1;
}

function skipDigits(scan: Scan): void {
  while (isDigit(scan.text[scan.at])) scan.at += 1;
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= '0' && char <= '9';
}
