import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { containerId, type ContainerId } from '@fairlead/protocol';
import type { Clock } from '../../core/ports/clock.ts';
import {
  makeDirectory,
  makeLink,
  makeTemporaryDirectory,
  readTextIfExists,
  writeFileAtomically,
} from '../../host/files.ts';
import { containerKeeperPath } from '../../host/native-programs.ts';
import { findProcess, signalProcess, type HostProcess } from '../../host/proc.ts';
import { runOrThrow, runProgram, spawnProgram, type ProgramExit } from '../../host/process.ts';
import { ReportPipe } from '../../host/report-pipe.ts';
import { MonitorConsole } from './monitor-console.ts';

const CONTAINER_TIMEOUT_MS = 20_000;

export interface RigOptions {
  readonly script: string;
  readonly tty?: boolean;
  /** `once`: the first attacher's end of input is the container's. */
  readonly stdin?: 'once' | 'kept';
  /** Makes the bundle's path longer than a socket address holds. */
  readonly longPath?: boolean;
  /** Another build of the keeper. */
  readonly keeperPath?: string;
}

/** A real container under its monitor and runc, created and not started. Disposing leaves nothing behind. */
export interface MonitorRig extends AsyncDisposable {
  readonly id: ContainerId;
  readonly bundleDir: string;
  readonly logPath: string;
  readonly console: MonitorConsole;
  /** The container's first process. */
  readonly process: HostProcess;
  start(): Promise<void>;
  /** Waits for the monitor's exit file. @returns the exit code. */
  exited(): Promise<number>;
  /** How the monitor itself ended. */
  readonly monitorExit: Promise<ProgramExit>;
  kill(): void;
}

export const realClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

export async function monitorRig(options: RigOptions): Promise<MonitorRig> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await makeTemporaryDirectory());
  const id = containerId(randomBytes(32).toString('hex'));
  const bundleDir = `${directory.path}/${options.longPath === true ? 'long/'.repeat(30) : ''}bundle`;
  const runtime = ['--root', `${directory.path}/runc`];
  await makeBundle(bundleDir, `${directory.path}/rootfs`, options);
  await makeDirectory(`${directory.path}/exits`);
  undo.defer(async () => void (await runProgram('runc', [...runtime, 'delete', '-f', id], within())));
  using report = new ReportPipe(100, () => {});
  const monitor = await spawnProgram(
    options.keeperPath ?? containerKeeperPath(),
    keeperArguments(id, directory.path, { ...options, bundleDir }),
    {
      stdio: ['ignore', 'ignore', 'ignore', report.writeEnd],
      detached: true,
    },
  );
  report.handedOver();
  const process = await waitFor(async () => {
    const [, pid] = /\0(\d+)\n$/.exec(report.takeText()) ?? [];
    return pid === undefined ? undefined : findProcess(Number(pid));
  });
  undo.defer(async () => {
    signalProcess(process, 9);
    await monitor.exited;
  });
  const owned = undo.move();
  return {
    id,
    bundleDir,
    logPath: `${bundleDir}/log`,
    process,
    console: new MonitorConsole({ bundleDir: () => bundleDir }),
    start: async () => void (await runOrThrow('runc', [...runtime, 'start', id], within())),
    exited: async () => Number(await waitFor(() => readTextIfExists(`${directory.path}/exits/${id}`, 100))),
    monitorExit: monitor.exited,
    kill: () => void signalProcess(process, 9),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function within(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(CONTAINER_TIMEOUT_MS) };
}

async function waitFor<T>(look: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + CONTAINER_TIMEOUT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error('waited too long');
    await delay(10);
  }
}

async function makeBundle(bundleDir: string, rootfs: string, options: RigOptions): Promise<void> {
  await makeDirectory(bundleDir);
  for (const name of ['bin', 'proc', 'dev', 'sys', 'tmp']) await makeDirectory(`${rootfs}/${name}`);
  await runOrThrow('cp', ['/bin/busybox', `${rootfs}/bin/busybox`], within());
  for (const applet of ['sh', 'cat', 'head', 'sleep', 'stty', 'yes'])
    await makeLink('busybox', `${rootfs}/bin/${applet}`);
  const config = {
    ociVersion: '1.0.2',
    process: {
      terminal: options.tty === true,
      user: { uid: 0, gid: 0 },
      args: ['/bin/sh', '-c', options.script],
      env: ['PATH=/bin'],
      cwd: '/',
    },
    root: { path: rootfs },
    hostname: 'rig',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] },
    ],
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })) },
  };
  await writeFileAtomically(`${bundleDir}/config.json`, JSON.stringify(config));
}

function keeperArguments(
  id: string,
  root: string,
  options: RigOptions & { readonly bundleDir: string },
): readonly string[] {
  const { bundleDir, tty, stdin } = options;
  return [
    ...['--id', id, '--bundle', bundleDir, '--exits', `${root}/exits`, '--log', `${bundleDir}/log`],
    ...(tty === true ? ['--terminal'] : []),
    ...(stdin === undefined ? [] : ['--stdin', stdin]),
    ...['--', '/usr/sbin/runc', '--root', `${root}/runc`, 'create', '--bundle', bundleDir, '--pid-file', 'pidfile'],
    ...(tty === true ? ['--console-socket', 'console', id] : [id]),
  ];
}
