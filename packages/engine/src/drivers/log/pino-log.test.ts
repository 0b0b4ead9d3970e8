import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError } from '@fairlead/protocol';
import type { Log } from '../../lib/log.ts';
import { createPinoLog, type PinoLevel } from './pino-log.ts';

function lines(level: PinoLevel): { readonly log: Log; readonly written: Record<string, unknown>[] } {
  const written: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void written.push(JSON.parse(line) as Record<string, unknown>) };
  return { log: createPinoLog(level, destination), written };
}

describe('createPinoLog', () => {
  it('writes an event with its fields', () => {
    const { log, written } = lines('info');
    log.event('container.stop.killed', { containerId: 'c1', graceMs: 10 });
    const [{ time, ...rest } = {}] = written;
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, { level: 'info', containerId: 'c1', graceMs: 10, event: 'container.stop.killed' });
  });

  it('writes details only when asked to', () => {
    const quiet = lines('info');
    quiet.log.detail('x');
    assert.equal(quiet.written.length, 0);
    const loud = lines('debug');
    loud.log.detail('x');
    assert.equal(loud.written.length, 1);
  });

  it('writes an error with its details and its causes', () => {
    const { log, written } = lines('warn');
    const cause = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    log.failure(
      'record.read.failed',
      new EngineError('internal', 'Cannot load record', { cause, details: { path: '/x' } }),
    );
    const error = written[0]?.['error'] as Record<string, unknown>;
    assert.equal(error['message'], 'Cannot load record');
    assert.deepEqual(error['details'], { path: '/x' });
    assert.equal((error['cause'] as Record<string, unknown>)['code'], 'ENOENT');
  });

  it('never throws, whatever it is given', () => {
    const { log, written } = lines('info');
    const circular: Record<string, unknown> = { big: 5n };
    circular['self'] = circular;
    log.event('odd', { circular, nothing: undefined });
    log.failure('odder', 'just text');
    assert.equal(written.length, 2);
    assert.equal(written[1]?.['error'], 'just text');
  });
});
