import { EngineError } from '@fairlead/protocol';

/** Where a daemon keeps its containers when nobody says otherwise. */
export const DEFAULT_ROOT = '/var/lib/fairlead';
/** Where a daemon listens when nobody says otherwise. */
export const DEFAULT_HOST = 'unix:///run/fairlead/fairlead.sock';

export type LogLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

const LOG_LEVELS: readonly string[] = ['silent', 'error', 'warn', 'info', 'debug'] satisfies readonly LogLevel[];

/** How an engine is set up. */
export interface EngineConfig {
  /** Absolute path of the directory that holds everything of the engine; made when it is not there. */
  readonly root: string;
  /** OCI runtime: name or path of the program; undefined takes crun where it runs, else runc. */
  readonly runtime?: string | undefined;
  /** `A.B.C.D/N` of the default bridge; undefined takes the first that collides with nothing. */
  readonly bridgeSubnet?: string | undefined;
  readonly logLevel?: LogLevel | undefined;
}

/** Checks what came from outside. @throws EngineError 'invalid-argument'. */
export function checkConfig(config: EngineConfig): EngineConfig {
  if (!config.root.startsWith('/')) {
    throw new EngineError('invalid-argument', `the engine's root must be an absolute path: ${config.root}`);
  }
  if (config.root === '/') throw new EngineError('invalid-argument', "the engine's root must not be /");
  return config;
}

/** @throws EngineError 'invalid-argument' for a word that is no level. */
export function logLevelOf(text: string): LogLevel {
  if (isLogLevel(text)) return text;
  throw new EngineError(
    'invalid-argument',
    `unknown log level ${JSON.stringify(text)}: use one of ${LOG_LEVELS.join(', ')}`,
  );
}

function isLogLevel(text: string): text is LogLevel {
  return LOG_LEVELS.includes(text);
}
