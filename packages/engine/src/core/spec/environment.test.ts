import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { ExecConfig } from '@fairlead/protocol';
import { keyOf, overrideEnvironment } from './environment.ts';
import { execProcess } from './exec-process.ts';

describe('overrideEnvironment', () => {
  const entry = fc.stringMatching(/^[A-D](=[a-z]{0,3})?$/);

  it('has each name once, with the last word said about it', () => {
    fc.assert(
      fc.property(fc.array(entry), fc.array(entry), (base, overrides) => {
        const found = overrideEnvironment(base, overrides);
        assert.equal(new Set(found.map(keyOf)).size, found.length);
        for (const name of new Set(overrides.map(keyOf))) {
          const last = overrides.findLast((candidate) => keyOf(candidate) === name) ?? '';
          assert.equal(
            found.find((candidate) => keyOf(candidate) === name),
            last.includes('=') ? last : undefined,
          );
        }
      }),
    );
  });
});

describe('execProcess', () => {
  const config: ExecConfig = {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Cmd: ['id'],
    Env: null,
    User: '',
    WorkingDir: '',
    Privileged: false,
    DetachKeys: '',
    Detach: false,
    ConsoleSize: null,
  };
  const target = {
    process: {
      args: ['sh'],
      env: ['TERM=xterm'],
      cwd: '/srv',
      terminal: true,
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: ['CAP_CHOWN'], effective: ['CAP_CHOWN'], permitted: ['CAP_CHOWN'] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }],
      noNewPrivileges: true,
      oomScoreAdj: 5,
      consoleSize: { height: 1, width: 2 },
    },
    hostname: 'web',
    env: ['A=1', 'B=2'],
    workingDir: '/srv',
    availableCapabilities: ['CAP_CHOWN', 'CAP_SYS_ADMIN'],
  };
  const user = { uid: 1000, gid: 1000, additionalGids: [1000, 33], home: '/home/web' };
  const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

  it("keeps the container's limits and takes its own command, user and environment", () => {
    assert.deepEqual(execProcess(target, config, user), {
      args: ['id'],
      env: [PATH, 'HOSTNAME=web', 'A=1', 'B=2', 'HOME=/home/web'],
      cwd: '/srv',
      terminal: false,
      user: { uid: 1000, gid: 1000, additionalGids: [1000, 33] },
      capabilities: target.process.capabilities,
      rlimits: target.process.rlimits,
      noNewPrivileges: true,
      oomScoreAdj: 5,
    });
  });

  it('takes an empty HOME for none', () => {
    const { env } = execProcess(target, { ...config, Env: ['HOME='] }, user);
    assert.deepEqual(env, [PATH, 'HOSTNAME=web', 'A=1', 'B=2', 'HOME=/home/web']);
  });

  it('lets its own variables win, with TERM for its own terminal', () => {
    const tty: ExecConfig = {
      ...config,
      Tty: true,
      Env: ['B=mine', 'A', 'HOME=/x'],
      WorkingDir: '/w',
      ConsoleSize: [24, 80],
    };
    const found = execProcess(target, tty, user);
    assert.deepEqual(found.env, [PATH, 'HOSTNAME=web', 'TERM=xterm', 'B=mine', 'HOME=/x']);
    assert.equal(found.cwd, '/w');
    assert.deepEqual(found.consoleSize, { height: 24, width: 80 });
  });

  it('has all capabilities when privileged, and no others than those change', () => {
    const found = execProcess(target, { ...config, Privileged: true }, user);
    assert.deepEqual(found.capabilities?.effective, target.availableCapabilities);
    assert.equal(found.noNewPrivileges, true);
  });
});
