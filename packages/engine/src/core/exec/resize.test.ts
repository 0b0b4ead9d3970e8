import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId, execId } from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import { ExecDirectory } from './directory.ts';
import { RESIZE_WAIT_MS, resizeExec } from './resize.ts';
import { ExecSession } from './session.ts';

/** Source: engine-api 5.8. */
describe('resizeExec', () => {
  it('waits ten seconds for a start, and no longer', async () => {
    const clock = new FakeClock();
    const execs = new ExecDirectory(clock);
    const session = new ExecSession({
      ...{ id: execId('ab'.repeat(32)), containerId: containerId('cd'.repeat(32)), detachKeys: new Uint8Array([1]) },
      config: {
        ...{ AttachStdin: false, AttachStdout: true, AttachStderr: true, Tty: true, Cmd: ['sh'], Env: null },
        ...{ User: '', WorkingDir: '', Privileged: false, DetachKeys: '', Detach: false, ConsoleSize: null },
      },
    });
    execs.add(session);
    const signal = new AbortController().signal;
    const failure = resizeExec({ execs, clock }, session.id, { size: { rows: 10, columns: 20 }, signal }).catch(
      (error: unknown) => String(error),
    );
    clock.advance(RESIZE_WAIT_MS - 1);
    assert.equal(await Promise.race([failure, Promise.resolve('waiting')]), 'waiting');
    clock.advance(1);
    assert.equal(await failure, 'EngineError: timeout waiting for exec session ready');
    execs.close();
  });
});
