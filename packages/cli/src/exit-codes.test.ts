import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError } from '@fairlead/protocol';
import { RequestFailedError } from '@fairlead/client';
import { failureText, startFailureExitCode } from './exit-codes.ts';

describe('startFailureExitCode', () => {
  const prefix = 'failed to create shim task: OCI runtime create failed: unable to start container process: ';
  const cases = [
    [`${prefix}exec: "nosuch": executable file not found in $PATH: unknown`, 127],
    [`${prefix}exec: "/nosuch": stat /nosuch: no such file or directory: unknown`, 127],
    [`${prefix}exec: "/etc": permission denied: unknown`, 126],
    [`${prefix}exec: "/etc": Is a directory: unknown`, 126],
    ['unable to find user nosuch: no matching entries in passwd file', 125],
    ['Minimum memory limit allowed is 6MB', 125],
  ] as const;
  for (const [message, code] of cases)
    it(`${code} for ${message}`, () => assert.equal(startFailureExitCode(message), code));
});

describe('failureText', () => {
  it('marks what the engine said', () => {
    const said = new RequestFailedError('not-found', 'No such container: x', { operation: 'stop x', status: 404 });
    assert.equal(failureText(said), 'Error response from daemon: No such container: x');
  });
  it('leaves our own words alone', () => {
    assert.equal(failureText(new EngineError('unavailable', 'Cannot connect')), 'Cannot connect');
    assert.equal(failureText(new Error('open /x: no such file or directory')), 'open /x: no such file or directory');
  });
});
