import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { ContainerId } from '@fairlead/protocol';
import {
  createContainer,
  ExitRecorder,
  newId,
  runContainer,
  SUITE_PROGRAMS,
} from '../../core/ports/container-runtime.suite.ts';
import type { OciSpec } from '../../core/spec/oci.ts';
import { listPids } from '../../host/proc.ts';
import { openOciSubject, type OciSubject } from './test/oci-subject.ts';

for (const runtime of ['crun', 'runc']) {
  describe(`a container's monitor, with ${runtime}`, () => {
    it('has a session of its own and nothing of the engine but /dev/null', async () => {
      await using subject = await openOciSubject(runtime);
      const { created } = await runContainer(subject, SUITE_PROGRAMS.sleeps);
      const stat = await readFile(`/proc/${created.monitor.pid}/stat`, 'latin1');
      const session = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
      assert.equal(session, created.monitor.pid);
      const inodes = await pipesOf(created.monitor.pid);
      const ours = await pipesOf(process.pid);
      const inherited = await inheritedPipes();
      assert.deepEqual(
        inodes.filter((inode) => ours.includes(inode) && !inherited.includes(inode)),
        [],
      );
      const environment = await readFile(`/proc/${created.monitor.pid}/environ`, 'utf8');
      assert.deepEqual(
        environment
          .split('\0')
          .map((entry) => entry.replace(/=.*/s, ''))
          .toSorted((a, b) => (a < b ? -1 : 1)),
        ['', 'PATH'],
      );
    });

    it('tells that the kernel killed for want of memory', async () => {
      await using subject = await openOciSubject(runtime);
      using recorder = new ExitRecorder(subject.runtime);
      const id = newId();
      const args = ['sh', '-c', 'x=0123456789abcdef; while :; do x=$x$x; done'];
      const limit = 16 * 1024 * 1024;
      const spec = withLinux(subject.spec(id, args), { resources: { memory: { limit, swap: limit } } });
      await subject.runtime.create({ id, spec, tty: false, openStdin: false, stdinOnce: false, logged: true });
      await subject.runtime.start(id);
      const exit = await recorder.first();
      assert.equal(exit.exitCode, 137);
      assert.equal(exit.oomKilled, true);
    });

    it('tells it at once when the container goes on, and then not with the exit', async () => {
      await using subject = await openOciSubject(runtime);
      using recorder = new ExitRecorder(subject.runtime);
      const told = Promise.withResolvers<ContainerId>();
      using _oom = subject.runtime.onOom(async (one) => told.resolve(one));
      const id = newId();
      const args = ['sh', '-c', '(x=0123456789abcdef; while :; do x=$x$x; done); exec sleep 1'];
      const limit = 16 * 1024 * 1024;
      const spec = withLinux(subject.spec(id, args), { resources: { memory: { limit, swap: limit } } });
      await subject.runtime.create({ id, spec, tty: false, openStdin: false, stdinOnce: false, logged: true });
      await subject.runtime.start(id);
      assert.equal(await told.promise, id);
      const exit = await recorder.first();
      assert.deepEqual([exit.exitCode, exit.oomKilled], [0, false]);
    });

    it('keeps a terminal for the container', async () => {
      await using subject = await openOciSubject(runtime);
      using recorder = new ExitRecorder(subject.runtime);
      const id = newId();
      const spec = subject.spec(id, ['sh', '-c', 'tty']);
      const terminal: OciSpec = { ...spec, process: { ...spec.process, terminal: true } };
      await subject.runtime.create({ id, spec: terminal, tty: true, openStdin: true, stdinOnce: false, logged: true });
      await subject.runtime.start(id);
      assert.equal((await recorder.first()).exitCode, 0);
      assert.match(await subject.logText(id), /^\/dev\/(pts\/0|console)\r?\n$/);
    });

    it('a container that cannot be made leaves nothing behind', async () => {
      await using subject = await openOciSubject(runtime);
      const id = newId();
      // The kernel refuses a swap limit below the memory limit, after the groups were made.
      const spec = withLinux(subject.spec(id, SUITE_PROGRAMS.sleeps), {
        resources: { memory: { limit: 100 * 1024 * 1024, swap: 4096 } },
      });
      const request = { id, spec, tty: false, openStdin: false, stdinOnce: false, logged: true };
      await assert.rejects(subject.runtime.create(request), { name: 'EngineError', kind: 'internal' });
      await leavesNothing(subject, id);
      await assert.rejects(createContainer(subject, SUITE_PROGRAMS.missing, id), { kind: 'invalid-argument' });
      await leavesNothing(subject, id);
    });
  });
}

function withLinux(spec: OciSpec, linux: Partial<OciSpec['linux']>): OciSpec {
  return { ...spec, linux: { ...spec.linux, ...linux } };
}

async function leavesNothing(subject: OciSubject, id: ContainerId): Promise<void> {
  assert.deepEqual(await readdir(subject.bundleDirectory(id)), ['config.json', 'container.log']);
  for (const controller of await readdir('/sys/fs/cgroup')) {
    assert.equal(existsSync(`/sys/fs/cgroup/${controller}/fairlead/${id}`), false, `cgroup in ${controller}`);
  }
  const commands = await Promise.all(
    (await listPids()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  assert.deepEqual(
    commands.filter((command) => command.includes(id)),
    [],
  );
}

async function pipesOf(pid: number): Promise<readonly string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  return targets.filter((target) => /^(pipe|socket):/.test(target));
}

/** What our own parent passed on to us without close-on-exec is not the engine's. */
async function inheritedPipes(): Promise<readonly string[]> {
  return await pipesOf(process.ppid);
}
