import { pino, stdSerializers, type DestinationStream } from 'pino';
import type { Log } from '../../lib/log.ts';

/** Pino's words: `debug` writes details as well, `info` events, `warn` warnings, `error` failures only. */
export type PinoLevel = 'silent' | 'error' | 'warn' | 'info' | 'debug';

/**
 * JSON lines, by pino: `{"level":"info","time":"…","event":"container.stop.killed",…}`. Default destination: stderr.
 *
 * A line is written before the call returns, so that none is missing when the engine dies.
 */
export function createPinoLog(level: PinoLevel, destination: DestinationStream = stderr()): Log {
  const logger = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.errWithCause },
    },
    destination,
  );
  return {
    detail: (name, fields = {}) => logger.debug(fields, name),
    event: (name, fields = {}) => logger.info(fields, name),
    warning: (name, fields = {}) => logger.warn(fields, name),
    failure: (name, error, fields = {}) => logger.error({ ...fields, error }, name),
  };
}

function stderr(): DestinationStream {
  return pino.destination({ dest: 2, sync: true });
}
