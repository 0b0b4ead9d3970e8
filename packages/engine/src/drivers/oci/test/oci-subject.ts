import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerId } from '@fairlead/protocol';
import type { ContainerRuntime, CreatedProcess } from '../../../core/ports/container-runtime.ts';
import type { RuntimeSubject } from '../../../core/ports/container-runtime.suite.ts';
import type { OciSpec } from '../../../core/spec/oci.ts';
import { signalProcess } from '../../../host/proc.ts';
import { silentLog } from '../../../lib/log.ts';
import { readCgroupLayout } from '../../cgroup/cgroup-layout.ts';
import { CgroupTree } from '../../cgroup/cgroup-tree.ts';
import { probeRuntime } from '../../cgroup/probe-runtime.ts';
import { OciRuntime } from '../oci-runtime.ts';

const SIGKILL = 9;
const BUSYBOX = '/bin/busybox';
const APPLETS = ['sh', 'cat', 'sleep', 'echo', 'stty', 'head', 'true', 'yes', 'dd', 'tty', 'kill', 'id'] as const;

/** The real driver in a directory of its own, with a root file system of busybox. */
export class OciSubject implements RuntimeSubject {
  readonly #root: string;
  readonly #rootfs: string;
  readonly #open: () => Promise<OciRuntime>;
  readonly #ids = new Set<ContainerId>();
  #runtime: OciRuntime;

  constructor(root: string, open: () => Promise<OciRuntime>, runtime: OciRuntime) {
    this.#root = root;
    this.#rootfs = join(root, 'rootfs');
    this.#open = open;
    this.#runtime = runtime;
  }

  get runtime(): ContainerRuntime {
    return this.#runtime;
  }

  get rootfs(): string {
    return this.#rootfs;
  }

  get execsDirectory(): string {
    return join(this.#root, 'state', 'execs');
  }

  bundleDirectory(id: ContainerId): string {
    return join(this.#root, 'containers', id);
  }

  spec(id: ContainerId, args: readonly string[]): OciSpec {
    this.#ids.add(id);
    return {
      ociVersion: '1.0.2',
      process: { user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/', terminal: false },
      root: { path: this.#rootfs },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755', 'size=64k'] },
        { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
      ],
      linux: {
        cgroupsPath: `/fairlead/${id}`,
        resources: { devices: [{ allow: true, access: 'rwm' }] },
        namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }, { type: 'network' }],
      },
    };
  }

  async logText(id: ContainerId): Promise<string> {
    const text = await readFile(join(this.bundleDirectory(id), 'container.log'), 'utf8').catch(() => '');
    return text.replaceAll(/^\S+ std(out|err) F /gm, '');
  }

  async reopen(): Promise<ContainerRuntime> {
    this.#runtime[Symbol.dispose]();
    this.#runtime = await this.#open();
    return this.#runtime;
  }

  killMonitor(created: CreatedProcess): void {
    signalProcess(created.monitor, SIGKILL);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of this.#ids) await this.#runtime.delete(id);
    this.#runtime[Symbol.dispose]();
    await rm(this.#root, { recursive: true, force: true });
  }
}

/** Opens the driver with crun or runc; undefined when this host cannot run it. */
export async function openOciSubject(runtimeName: string): Promise<OciSubject> {
  const root = await mkdtemp('/tmp/fairlead-oci-');
  await makeRootfs(join(root, 'rootfs'));
  const layout = await readCgroupLayout();
  const runtime = await probeRuntime(layout, runtimeName);
  const open = (): Promise<OciRuntime> =>
    OciRuntime.open(
      { cgroups: new CgroupTree(layout), log: silentLog },
      {
        runtime,
        stateRoot: join(root, 'state'),
        bundleDirectory: (id) => join(root, 'containers', id),
        logPath: (id) => join(root, 'containers', id, 'container.log'),
      },
    );
  return new OciSubject(root, open, await open());
}

async function makeRootfs(rootfs: string): Promise<void> {
  for (const name of ['bin', 'proc', 'dev', 'etc', 'tmp']) await mkdir(join(rootfs, name), { recursive: true });
  await copyFile(BUSYBOX, join(rootfs, 'bin/busybox'));
  for (const applet of APPLETS) await symlink('busybox', join(rootfs, 'bin', applet));
  await writeFile(join(rootfs, 'bin/not-executable'), 'echo no\n', { mode: 0o644 });
}
