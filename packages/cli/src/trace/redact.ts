import type { Header } from './http-parser.ts';

/** Headers that carry somebody's credentials. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-registry-auth',
  'x-registry-config',
]);
/** Fields of bodies that do, by their name in small letters. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(['password', 'auth', 'identitytoken', 'registrytoken', 'token']);
/** Parameters whose values are arguments of a build, and often tokens. */
const SECRET_PARAMETERS: readonly string[] = ['buildargs'];

/** Headers without credentials. What stood there is told by its length only. */
export function redactHeaders(headers: readonly Header[]): readonly Header[] {
  return headers.map(([name, value]) => [name, SECRET_HEADERS.has(name.toLowerCase()) ? hidden(value) : value]);
}

/** A request target without the values of build arguments. */
export function redactTarget(target: string): string {
  return SECRET_PARAMETERS.reduce(
    (whole, name) => whole.replace(new RegExp(`([?&]${name}=)([^&]*)`, 'g'), (_, head: string) => `${head}redacted`),
    target,
  );
}

/** A command line without the values of environment variables, build arguments and passwords. */
export function redactCommand(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const isVariable = /^[A-Za-z_][A-Za-z0-9_]*=/.test(word);
    if (isVariable && /^(-e|--env|--build-arg)$/.test(words[at - 1] ?? '')) return String(withoutValue(word));
    if (/^--password$/.test(words[at - 1] ?? '')) return hidden(word);
    const [, flag, variable] = /^(-e|--env=|--build-arg=|--password=)(.+)$/s.exec(word) ?? [];
    if (flag === undefined || variable === undefined) return word;
    return `${flag}${flag === '--password=' ? hidden(variable) : String(withoutValue(variable))}`;
  });
}

/** A JSON body without credentials and without the values of environment variables; undefined when it is no whole document. */
export function redactJson(text: string): string | undefined {
  try {
    return JSON.stringify(cleaned(JSON.parse(text), ''));
  } catch {
    // What cannot be read cannot be cleaned either, so it is not shown.
    return undefined;
  }
}

function cleaned(value: unknown, name: string): unknown {
  if (name === 'env' && Array.isArray(value)) return value.map(withoutValue);
  if (SECRET_FIELDS.has(name) && typeof value === 'string' && value !== '') return hidden(value);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, ''));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [key, cleaned(item, key.toLowerCase())]),
  );
}

function withoutValue(variable: unknown): unknown {
  if (typeof variable !== 'string') return variable;
  const at = variable.indexOf('=');
  return at === -1 ? variable : `${variable.slice(0, at)}=${hidden(variable.slice(at + 1))}`;
}

function hidden(value: string): string {
  return `(redacted, ${value.length} characters)`;
}
