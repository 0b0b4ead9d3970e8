import { EngineError, type ErrorKind } from '@fairlead/protocol';

/** What was asked of the runtime, for the words around its own. */
export interface RuntimeCall {
  readonly operation: 'create' | 'start' | 'exec';
  /** The program that was to run: `process.args[0]`. */
  readonly program: string;
}

/** One known message of a runtime, in Docker's words (those of runc, which are the field's). */
interface KnownMessage {
  readonly pattern: RegExp;
  readonly words: (match: RegExpExecArray, program: string) => string;
}

const STARTING = 'unable to start container process: ';

/**
 * The messages of crun whose words scripts and the docker CLI look for. Real output of each is in
 * runtime-failure.fixtures.ts.
 *
 * Source: crun 1.8.1 src/libcrun/container.c (container_init_setup, libcrun_container_exec), src/libcrun/utils.c
 * (find_executable), src/libcrun/linux.c. runc says these things in Docker's words already.
 */
const CRUN_MESSAGES: readonly KnownMessage[] = [
  {
    pattern: /^executable file `(.*)` not found in \$PATH/,
    words: ([, name = '']) => `${STARTING}exec: "${name}": ${notFound(name)}`,
  },
  {
    // find_executable says EPERM for a directory, and for an empty name, which is a directory too.
    pattern: /^open executable: (.+)$/,
    words: ([, reason = ''], program) => `${STARTING}exec: "${program}": ${cannotOpen(program, lowerFirst(reason))}`,
  },
  {
    pattern: /^chdir `(.*)`: (.+)$/,
    words: ([, path = '', reason = '']) =>
      `${STARTING}chdir to cwd ("${path}") set in config.json failed: ${lowerFirst(reason)}`,
  },
  {
    pattern: /^error stat'ing file `(.*)`: (.+)$/,
    words: ([, path = '', reason = '']) =>
      `${STARTING}error during container init: error mounting "${path}": stat ${path}: ${lowerFirst(reason)}`,
  },
  { pattern: /^the container `.*` is paused/, words: () => 'cannot exec in a paused container' },
  {
    // The container ended between the engine's own check and the runtime's.
    pattern: /^setns\(pid=|^the container `.*` is not running|\/status`: No such file or directory/,
    words: () => 'cannot exec in a stopped container',
  },
];

/** What the words mean for the caller; the first that matches. Source: moby daemon/errors.go, translateContainerdStartErr. */
const MEANINGS: readonly { readonly pattern: RegExp; readonly kind: ErrorKind; readonly exitCode: number }[] = [
  { pattern: /cannot exec in a (paused|stopped) container/i, kind: 'conflict', exitCode: 128 },
  { pattern: /permission denied|is a directory/i, kind: 'invalid-argument', exitCode: 126 },
  {
    pattern: /executable file not found|no such file or directory|not a directory/i,
    kind: 'invalid-argument',
    exitCode: 127,
  },
];

/** Docker's code for a start that failed for any other reason. Source: engine-api 3.7, 5.6. */
const EXIT_CODE_OTHER = 128;

/**
 * Puts a runtime's report into Docker's words.
 * @param report the runtime's log or standard error, lines of text or of JSON.
 * @returns an EngineError whose `details.exitCode` is 126, 127 or 128.
 */
export function runtimeFailure(report: string, call: RuntimeCall): EngineError {
  const said = errorLines(report);
  const words = `${prefixOf(call.operation)}${inDockersWords(said, call)}: unknown`;
  const meaning = MEANINGS.find(({ pattern }) => pattern.test(words));
  const { kind, exitCode } = meaning ?? { kind: 'internal', exitCode: EXIT_CODE_OTHER };
  return new EngineError(kind, words, { details: { exitCode, runtimeSaid: said.join('\n') } });
}

function prefixOf(operation: RuntimeCall['operation']): string {
  switch (operation) {
    case 'create':
      return 'failed to create shim task: OCI runtime create failed: ';
    case 'start':
      return 'failed to start shim: OCI runtime start failed: ';
    case 'exec':
      return 'OCI runtime exec failed: ';
    default:
      return operation satisfies never;
  }
}

function inDockersWords(said: readonly string[], { operation, program }: RuntimeCall): string {
  const own = operation === 'exec' ? 'exec failed: ' : `runc ${operation} failed: `;
  for (const line of said) {
    for (const { pattern, words } of CRUN_MESSAGES) {
      const match = pattern.exec(line);
      if (match !== null) return `${own}${words(match, program)}`;
    }
  }
  return said.at(-1) ?? 'the runtime ended without saying why';
}

/** Messages of level error, oldest first. crun's text log has no levels, runc's JSON has. */
function errorLines(report: string): readonly string[] {
  return report.split('\n').flatMap((line) => {
    const trimmed = line.trim();
    if (trimmed === '') return [];
    const entry = trimmed.startsWith('{') ? parseEntry(trimmed) : undefined;
    if (entry === undefined) return [trimmed];
    return entry.level === 'error' || entry.level === 'fatal' ? [entry.message.trim()] : [];
  });
}

function parseEntry(line: string): { readonly level: string; readonly message: string } | undefined {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    // A line that only looks like JSON is a message itself.
    return undefined;
  }
  if (typeof document !== 'object' || document === null || !('msg' in document)) return undefined;
  const level = 'level' in document ? String(document.level) : 'error';
  return { level, message: String(document.msg) };
}

/** runc stats a path and looks a bare name up; crun says the same sentence for both. */
function notFound(name: string): string {
  return name.includes('/') ? `stat ${name}: no such file or directory` : 'executable file not found in $PATH';
}

function cannotOpen(program: string, reason: string): string {
  const isPath = program.includes('/');
  if (reason === 'operation not permitted' || reason === 'permission denied') {
    // A look-up in $PATH passes over what may not be executed.
    return isPath ? 'permission denied' : 'executable file not found in $PATH';
  }
  return isPath ? `stat ${program}: ${reason}` : reason;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
