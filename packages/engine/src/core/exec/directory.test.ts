import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId, execId, type ExecConfig } from '@fairlead/protocol';
import { FakeClock } from '../ports/fake-clock.ts';
import { EXEC_KEPT_MS, ExecDirectory } from './directory.ts';
import { inspectExec } from './inspect.ts';
import { ExecSession } from './session.ts';

const web = containerId('ab'.repeat(32));
const CONFIG: ExecConfig = {
  ...{ AttachStdin: false, AttachStdout: true, AttachStderr: true, Tty: false, Cmd: ['sh', '-c', 'x'], Env: null },
  ...{ User: '', WorkingDir: '', Privileged: false, DetachKeys: '', Detach: false, ConsoleSize: null },
};

function scene(): {
  readonly clock: FakeClock;
  readonly directory: ExecDirectory;
  readonly add: (hex: string, config?: Partial<ExecConfig>) => ExecSession;
  readonly run: (session: ExecSession, exitCode?: number) => void;
  readonly has: (session: ExecSession) => boolean;
} {
  const clock = new FakeClock();
  const directory = new ExecDirectory(clock);
  return {
    ...{ clock, directory },
    add(hex, config = {}) {
      const detachKeys = new Uint8Array([1]);
      const session = new ExecSession({
        id: execId(hex.repeat(32)),
        containerId: web,
        config: { ...CONFIG, ...config },
        detachKeys,
      });
      directory.add(session);
      return session;
    },
    run(session, exitCode) {
      session.apply({ type: 'claimed' });
      session.apply({ type: 'started', pid: 77 });
      if (exitCode !== undefined) session.apply({ type: 'exited', exitCode, at: clock.now() });
    },
    has(session) {
      try {
        return directory.resolve(session.id) === session;
      } catch {
        return false;
      }
    },
  };
}

/** Source: engine-api 5.9. */
describe('ExecDirectory', () => {
  it('keeps a finished exec for five to ten minutes', () => {
    const { clock, directory, add, run, has } = scene();
    const early = add('aa');
    run(early, 3);
    clock.advance(EXEC_KEPT_MS - 1);
    const late = add('bb');
    run(late, 0);
    clock.advance(1);
    assert.deepEqual([has(early), has(late)], [false, true]);
    clock.advance(EXEC_KEPT_MS - 1);
    assert.equal(has(late), true);
    clock.advance(1);
    assert.equal(has(late), false);
    directory.close();
  });

  it('keeps what runs, and what was never started, while the container runs', () => {
    const { clock, add, run, has } = scene();
    const [runs, waits] = [add('aa'), add('bb')];
    run(runs);
    clock.advance(EXEC_KEPT_MS * 10);
    assert.deepEqual([has(runs), has(waits)], [true, true]);
  });

  it('forgets what was never started when the container stops, and keeps the rest', () => {
    const { directory, add, run, has } = scene();
    const [waits, ended] = [add('aa'), add('bb')];
    run(ended, 137);
    directory.containerStopped(web);
    assert.deepEqual([has(waits), has(ended)], [false, true]);
    assert.throws(() => ended.apply({ type: 'claimed' }), /exec command b+ has already run/);
  });

  it('forgets everything with the container', () => {
    const { directory, add, run, has } = scene();
    const all = [add('aa'), add('bb'), add('cc')];
    run(all[1] ?? assert.fail());
    run(all[2] ?? assert.fail(), 0);
    directory.containerRemoved(web);
    assert.deepEqual(all.map(has), [false, false, false]);
  });

  it('knows whole ids only', () => {
    const { directory, add } = scene();
    const { id } = add('aa');
    assert.throws(() => directory.resolve(id.slice(0, 12)), { message: `No such exec instance: ${id.slice(0, 12)}` });
  });

  it("lists a container's execs that have not ended", () => {
    const { directory, add, run } = scene();
    const [waits, runs, ended] = [add('aa'), add('bb'), add('cc')];
    run(runs);
    run(ended, 0);
    assert.deepEqual(directory.pending(web), [waits.id, runs.id]);
  });
});

/** Source: engine-api 5.7. */
describe('inspectExec', () => {
  it('has no code before the end, the pid from the start on, and the user and the keys as they were given', () => {
    const { directory, add, run } = scene();
    const session = add('aa', { User: '1000', DetachKeys: 'ctrl-a', AttachStdin: true });
    const shown = (): Readonly<Record<string, unknown>> => ({ ...inspectExec({ execs: directory }, session.id) });
    assert.deepEqual(shown(), {
      ...{ ID: session.id, Running: false, ExitCode: null, OpenStdin: true, OpenStderr: true, OpenStdout: true },
      ...{ CanRemove: false, ContainerID: web, DetachKeys: 'AQ==', Pid: 0 },
      ProcessConfig: { tty: false, entrypoint: 'sh', arguments: ['-c', 'x'], privileged: false, user: '1000' },
    });
    run(session);
    assert.deepEqual([shown()['Running'], shown()['ExitCode'], shown()['Pid']], [true, null, 77]);
    session.apply({ type: 'exited', exitCode: 3, at: new Date() });
    assert.deepEqual([shown()['Running'], shown()['ExitCode'], shown()['Pid']], [false, 3, 77]);
  });

  it('runs from the claim of its start on, before there is a process', () => {
    const { directory, add } = scene();
    const session = add('aa');
    session.apply({ type: 'claimed' });
    const { Running, ExitCode, Pid } = inspectExec({ execs: directory }, session.id);
    assert.deepEqual([Running, ExitCode, Pid], [true, null, 0]);
  });

  it('has neither user nor keys when none were given', () => {
    const { directory, add } = scene();
    const { DetachKeys, ProcessConfig } = inspectExec({ execs: directory }, add('aa').id);
    assert.deepEqual([DetachKeys, 'user' in ProcessConfig], ['', false]);
  });
});
