import { EngineError, parseHumanSize, type LogConfig } from '@fairlead/protocol';
import { checkTag, namePattern } from './log-attributes.ts';

/** How much of a container's output is kept. */
export interface LogRotation {
  /** A file is closed when it has grown to this; undefined: never. */
  readonly maxBytes: number | undefined;
  /** Files kept, the current one included. */
  readonly maxFiles: number;
}

/** Where a container's output can go. `local` is kept as `json-file` is, but never without limits; `none` keeps nothing. */
export type LogDriver = 'json-file' | 'local' | 'none';

const MODE_OPTIONS = ['mode', 'max-buffer-size'] as const;

/** The options that each driver takes; `none` takes all. Source: moby v28 daemon/logger/jsonfilelog, local, ValidateLogOpt. */
const OPTIONS: Readonly<Record<Exclude<LogDriver, 'none'>, ReadonlySet<string>>> = {
  'json-file': new Set([
    ...['max-file', 'max-size', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
    ...MODE_OPTIONS,
  ]),
  local: new Set(['max-file', 'max-size', 'compress', ...MODE_OPTIONS]),
};

/** All of them, in the order of their names. */
export const LOG_DRIVERS: readonly LogDriver[] = ['json-file', 'local', 'none'];

/** Source: moby daemon/logger/local, defaultMaxFileSize and defaultMaxFileCount. */
const LOCAL_ROTATION: LogRotation = { maxBytes: 20_000_000, maxFiles: 5 };

/**
 * Checks a log config.
 *
 * @returns warnings for options that Docker takes and that have no effect here.
 * @throws EngineError 'invalid-argument' `error looking up logging plugin x: plugin "x" not found`, `unknown log opt 'x' for json-file log driver`.
 */
export function checkLogConfig({ Type: type, Config: options }: LogConfig): readonly string[] {
  const driver = LOG_DRIVERS.find((known) => known === type);
  if (driver === undefined) {
    throw new EngineError('invalid-argument', `error looking up logging plugin ${type}: plugin "${type}" not found`);
  }
  if (driver === 'none') return [];
  const unknown = Object.keys(options).find((name) => !OPTIONS[driver].has(name));
  if (unknown !== undefined) {
    const where = driver === 'local' ? 'log driver local' : `${driver} log driver`;
    throw new EngineError('invalid-argument', `unknown log opt '${unknown}' for ${where}`);
  }
  logRotation({ Type: type, Config: options });
  checkMode(options);
  checkTag(options['tag']);
  for (const name of ['labels-regex', 'env-regex']) namePattern(options[name]);
  return [
    ...(options['mode'] === 'non-blocking' ? ["The log option 'mode=non-blocking' has no effect here."] : []),
    ...(options['compress'] === 'true'
      ? ["The log option 'compress=true' is not implemented yet and has no effect."]
      : []),
  ];
}

/** @throws EngineError 'invalid-argument' when `max-size` or `max-file` is no such number. */
export function logRotation({ Type: type, Config: options }: LogConfig): LogRotation {
  const fallback = type === 'local' ? LOCAL_ROTATION : { maxBytes: undefined, maxFiles: 1 };
  const size = options['max-size'];
  const files = options['max-file'];
  const maxBytes = size === undefined ? fallback.maxBytes : size === '-1' ? undefined : parseHumanSize(size);
  if (maxBytes !== undefined && maxBytes <= 0) {
    throw new EngineError('invalid-argument', 'max-size must be a positive number');
  }
  if (files !== undefined && !/^\d{1,6}$/.test(files)) {
    throw new EngineError('invalid-argument', `invalid value for max-file: ${JSON.stringify(files)}`);
  }
  const maxFiles = files === undefined ? fallback.maxFiles : Number(files);
  if (maxFiles < 1) throw new EngineError('invalid-argument', 'max-file cannot be less than 1');
  return { maxBytes, maxFiles };
}

/** Source: moby v28 daemon/logger/factory.go, validateExternal and ValidateLogOpts. */
function checkMode(options: LogConfig['Config']): void {
  const { mode, 'max-buffer-size': bufferSize } = options;
  if (mode !== undefined && mode !== '' && mode !== 'blocking' && mode !== 'non-blocking') {
    throw new EngineError('invalid-argument', `logger: logging mode not supported: ${mode}`);
  }
  if (bufferSize === undefined) return;
  if (mode !== 'non-blocking') {
    throw new EngineError(
      'invalid-argument',
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    );
  }
  parseHumanSize(bufferSize);
}
