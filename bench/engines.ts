/** Starts engines of one's own: each with a private root and socket, none of them the machine's. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedEngine } from './docker-contender.ts';
import { engineHttp } from './engine-http.ts';

const START_WITHIN_MS = 60_000;
const LEAVE_WITHIN_MS = 30_000;
/** Cold start is measured to this exactness. */
const POLL_MS = 2;

/** How to start one kind of engine. */
export interface EngineKind {
  readonly name: string;
  /** Where its program is, or undefined when it is not installed. */
  readonly program: string | undefined;
  /** What it says about itself. */
  version(): string;
  arguments(home: string, socket: string): readonly string[];
  /** What it needs in every HostConfig to start a container at all. */
  readonly hostConfig?: Readonly<Record<string, unknown>>;
}

/** The engines that are installed here, ours first. */
export function installedEngines(repository: string): readonly EngineKind[] {
  return [fairlead(repository), dockerd, podman].filter(({ program }) => program !== undefined);
}

const fairlead = (repository: string): EngineKind => {
  const program = join(repository, 'bin', 'fairlead');
  return {
    name: 'Fairlead',
    program,
    version: () => `${firstLine(program, ['--version'])}, ${firstLine('crun', ['--version'])}`,
    arguments: (home, socket) => [
      'engine',
      '--root',
      join(home, 'root'),
      '--host',
      `unix://${socket}`,
      '--log-level',
      'error',
    ],
  };
};

const dockerd: EngineKind = {
  name: 'dockerd',
  program: programPath('dockerd'),
  version: () => `${firstLine('dockerd', ['--version'])}, ${firstLine('runc', ['--version'])}`,
  arguments: (home, socket) => {
    const config = join(home, 'daemon.json');
    writeFileSync(config, '{}');
    const files = [
      '--config-file',
      config,
      '--data-root',
      join(home, 'root'),
      '--exec-root',
      join(home, 'exec'),
      '--pidfile',
      join(home, 'pid'),
    ];
    const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
    return ['--host', `unix://${socket}`, '--storage-driver=overlay2', '--log-level=error', ...files, ...network];
  },
};

const podman: EngineKind = {
  name: 'podman',
  program: programPath('podman'),
  // It asks for 1,048,576 open files and processes by itself, which the kernel refuses where this process may have fewer.
  hostConfig: { Ulimits: ['nofile', 'nproc'].map((Name) => ({ Name, Soft: 4096, Hard: 4096 })) },
  version: () => `${firstLine('podman', ['--version'])}, ${firstLine('crun', ['--version'])}`,
  arguments: (home, socket) => {
    const storage = [
      '--root',
      join(home, 'root'),
      '--runroot',
      join(home, 'run'),
      '--tmpdir',
      join(home, 'tmp'),
      '--storage-driver=overlay',
    ];
    return [
      ...storage,
      '--cgroup-manager=cgroupfs',
      '--events-backend=file',
      '--log-level=error',
      'system',
      'service',
      '--time=0',
      `unix://${socket}`,
    ];
  },
};

/** Starts an engine in `home` and waits for its first answer. Disposing ends it and removes `home`. */
export async function startEngine(kind: EngineKind, home: string, textDirectory: string): Promise<StartedEngine> {
  await using undo = new AsyncDisposableStack();
  mkdirSync(home, { recursive: true });
  undo.defer(() => removeHome(home));
  const socket = join(home, 'engine.sock');
  const logPath = join(home, 'log');
  const log = openSync(logPath, 'w');
  const args = kind.arguments(home, socket);
  const started = performance.now();
  const daemon = spawn(kind.program ?? kind.name, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()).once('error', () => resolve()));
  undo.defer(async () => {
    daemon.kill('SIGTERM');
    await Promise.race([ended, sleep(LEAVE_WITHIN_MS, undefined, { ref: false })]);
    daemon.kill('SIGKILL');
  });
  while (!(await answers(socket))) {
    const left = daemon.exitCode !== null || daemon.signalCode !== null || daemon.pid === undefined;
    if (left || performance.now() - started > START_WITHIN_MS) {
      throw new Error(
        `${kind.name} did not answer:\n${readFileSync(logPath, 'utf8').split('\n').slice(-15).join('\n')}`,
      );
    }
    await sleep(POLL_MS);
  }
  const coldStartMs = performance.now() - started;
  const held = undo.move();
  return {
    name: kind.name,
    version: kind.version(),
    http: engineHttp(socket),
    pid: daemon.pid ?? 0,
    coldStartMs,
    textDirectory,
    hostConfig: kind.hostConfig ?? {},
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

/** Ends what an engine left running for `home`: podman's monitors of execs stay for five minutes. */
function endProcesses(home: string): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (/(^|\/)(container-keeper|conmon)$/.test(program) && args.some((arg) => arg.startsWith(`${home}/`)))
        process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      // It ended by itself, between two looks.
      if (!['ENOENT', 'ESRCH'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
    }
  }
}

/** Unmounts what an engine left mounted below its home, deepest first, and deletes it. */
async function removeHome(home: string): Promise<void> {
  endProcesses(home);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${home}/`));
  for (const path of mounts.sort((a, b) => b.length - a.length)) spawnSync('umount', ['--lazy', path]);
  // dockerd's containerd removes files of its own for a moment longer.
  for (let tries = 0; tries < 20; tries++) {
    try {
      return rmSync(home, { recursive: true, force: true });
    } catch (error) {
      if (tries === 19) throw error;
      await sleep(100);
    }
  }
}

/** The path of a program on PATH, or undefined. */
export function programPath(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  return found === '' ? undefined : found;
}

/** The first line a program prints. */
export function firstLine(program: string, args: readonly string[]): string {
  return (spawnSync(program, args, { encoding: 'utf8' }).stdout ?? '').split('\n')[0]?.trim() ?? '';
}
