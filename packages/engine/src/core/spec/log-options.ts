import { EngineError, parseHumanSize, type LogConfig } from '@fairlead/protocol';

/** How much of a container's output is kept. */
export interface LogRotation {
  /** A file is closed when it has grown to this; undefined: never. */
  readonly maxBytes: number | undefined;
  /** Files kept, the current one included. */
  readonly maxFiles: number;
}

/** What Docker's json-file driver takes. Source: moby daemon/logger/jsonfilelog, ValidateLogOpt. */
const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'max-file',
  'max-size',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
]);

const HONOURED_OPTIONS: ReadonlySet<string> = new Set(['max-file', 'max-size']);

/**
 * Checks a log config against the drivers this engine has.
 *
 * @returns warnings for options that Docker takes and this engine does not honour.
 * @throws EngineError 'invalid-argument' `error looking up logging plugin x: plugin "x" not found`, `unknown log opt 'x' for json-file log driver`.
 */
export function checkLogConfig(logConfig: LogConfig, drivers: readonly string[]): readonly string[] {
  if (!drivers.includes(logConfig.Type)) {
    throw new EngineError(
      'invalid-argument',
      `error looking up logging plugin ${logConfig.Type}: plugin "${logConfig.Type}" not found`,
    );
  }
  for (const name of Object.keys(logConfig.Config)) {
    if (KNOWN_OPTIONS.has(name)) continue;
    throw new EngineError('invalid-argument', `unknown log opt '${name}' for ${logConfig.Type} log driver`);
  }
  logRotation(logConfig);
  return Object.keys(logConfig.Config)
    .filter((name) => !HONOURED_OPTIONS.has(name))
    .map((name) => `The log option '${name}' is not implemented yet and has no effect.`);
}

/** @throws EngineError 'invalid-argument' when `max-size` or `max-file` is no such number. */
export function logRotation(logConfig: LogConfig): LogRotation {
  const size = logConfig.Config['max-size'];
  const files = logConfig.Config['max-file'];
  const maxBytes = size === undefined || size === '-1' ? undefined : parseHumanSize(size);
  if (maxBytes !== undefined && maxBytes <= 0) {
    throw new EngineError('invalid-argument', 'max-size must be a positive number');
  }
  if (files !== undefined && !/^\d{1,6}$/.test(files)) {
    throw new EngineError('invalid-argument', `invalid value for max-file: ${JSON.stringify(files)}`);
  }
  const maxFiles = files === undefined ? 1 : Number(files);
  if (maxFiles < 1) throw new EngineError('invalid-argument', 'max-file cannot be less than 1');
  return { maxBytes, maxFiles };
}
