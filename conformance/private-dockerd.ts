import { spawn, spawnSync } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a dockerd may take from its start to its first answer. Measured: 1 to 4 s on two cores. */
const START_WITHIN_MS = 60_000;
/** How long it may take to leave after SIGTERM: it stops its containers first, 15 s at most, then containerd. */
const LEAVE_WITHIN_MS = 30_000;
const POLL_MS = 50;

/** The image every private engine has: Debian's busybox, imported as one layer. */
export const BUSYBOX_IMAGE = 'busybox:latest';

/** A dockerd of one's own. Disposing ends it and removes whatever it had: containers, mounts, files. */
export interface PrivateDockerd extends AsyncDisposable {
  /** For `DOCKER_HOST`: `unix:///…`. */
  readonly host: string;
  /** Process id of dockerd, for measurements. */
  readonly pid: number;
  /** Where it keeps images and containers. */
  readonly root: string;
}

/**
 * Starts a dockerd that shares nothing with the machine's: own root, own socket, own containerd, no bridge, no packet
 * filter. Containers have no network. `busybox:latest` is there, made from Debian's static busybox.
 *
 * @throws Error with the end of dockerd's log when it does not answer within 60 s, and when dockerd is not installed.
 */
export async function startPrivateDockerd(): Promise<PrivateDockerd> {
  await using undo = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'private-dockerd-'));
  undo.defer(() => removeTree(home));
  const [root, socket, logPath] = [join(home, 'root'), join(home, 'docker.sock'), join(home, 'dockerd.log')];
  await writeFile(join(home, 'dockerd.json'), '{}');
  await using log = await open(logPath, 'w');
  const daemon = spawn('dockerd', daemonArguments(home), { stdio: ['ignore', log.fd, log.fd] });
  const ended = new Promise<string>((resolve) => {
    daemon.once('error', (error) => resolve(error.message));
    daemon.once('exit', (code, signal) => resolve(`dockerd ended with ${code ?? signal}`));
  });
  const pid = daemon.pid;
  if (pid === undefined) throw new Error(`Cannot start dockerd: ${await ended}`);
  undo.defer(async () => {
    daemon.kill('SIGTERM');
    await Promise.race([ended, sleep(LEAVE_WITHIN_MS, undefined, { ref: false })]);
    if (daemon.exitCode === null && daemon.signalCode === null) daemon.kill('SIGKILL');
  });
  await answers(socket, ended, logPath);
  await importBusybox(home, socket);
  const held = undo.move();
  return { host: `unix://${socket}`, pid, root, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function daemonArguments(home: string): readonly string[] {
  return [
    '--config-file', join(home, 'dockerd.json'),
    '--host', `unix://${join(home, 'docker.sock')}`,
    '--data-root', join(home, 'root'),
    '--exec-root', join(home, 'exec'),
    '--pidfile', join(home, 'dockerd.pid'),
    '--storage-driver', 'overlay2',
    '--bridge', 'none',
    '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false',
    '--log-level', 'warn',
  ];
}

async function answers(socket: string, ended: Promise<string>, logPath: string): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  const gone = new AbortController();
  void ended.then((reason) => gone.abort(reason));
  while (performance.now() < until && !gone.signal.aborted) {
    const asked = spawnSync('docker', ['-H', `unix://${socket}`, 'version'], { stdio: 'ignore' });
    if (asked.status === 0) return;
    await sleep(POLL_MS);
  }
  const tail = (await readFile(logPath, 'utf8')).split('\n').slice(-12).join('\n');
  throw new Error(`dockerd did not answer within ${START_WITHIN_MS} ms: ${gone.signal.aborted ? String(gone.signal.reason) : 'still silent'}\n${tail}`);
}

async function importBusybox(home: string, socket: string): Promise<void> {
  const rootfs = join(home, 'rootfs');
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp']) {
    await mkdir(join(rootfs, name), { recursive: true });
  }
  await cp(await realBusybox(), join(rootfs, 'bin', 'busybox'));
  run('chroot', [rootfs, '/bin/busybox', '--install', '-s', '/bin']);
  run('sh', ['-c', `printf 'root:x:0:0:root:/root:/bin/sh\\nnobody:x:65534:65534:nobody:/:/bin/false\\n' > ${rootfs}/etc/passwd`]);
  run('sh', ['-c', `printf 'root:x:0:\\nnogroup:x:65534:\\n' > ${rootfs}/etc/group`]);
  run('tar', ['-C', rootfs, '-cf', join(home, 'busybox.tar'), '.']);
  run('docker', ['-H', `unix://${socket}`, 'import', '-c', 'CMD ["sh"]', join(home, 'busybox.tar'), BUSYBOX_IMAGE]);
}

async function realBusybox(): Promise<string> {
  for (const path of ['/bin/busybox', '/usr/bin/busybox']) {
    try {
      await access(path);
      return path;
    } catch {
      // The next place is looked at; none of them is reported below.
    }
  }
  throw new Error('Cannot make an image: no busybox here (apt-get install busybox-static)');
}

function run(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${done.stderr || String(done.error)}`);
}

/** Unmounts everything below `home`, deepest first, then deletes it. */
async function removeTree(home: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${home}/`))
    .toSorted((a, b) => b.length - a.length);
  for (const path of mounts) spawnSync('umount', ['--lazy', path]);
  await removeCgroups('/sys/fs/cgroup', home);
  await rm(home, { recursive: true, force: true });
}

/** dockerd leaves empty `docker` cgroups behind; only directories it made and nobody uses can be removed at all. */
async function removeCgroups(cgroupRoot: string, home: string): Promise<void> {
  const containers = await readdir(join(home, 'root', 'containers')).catch(() => []);
  for (const controller of await readdir(cgroupRoot)) {
    for (const id of containers) spawnSync('rmdir', [join(cgroupRoot, controller, 'docker', id)], { stdio: 'ignore' });
  }
}

if (import.meta.main) {
  await using dockerd = await startPrivateDockerd();
  process.stdout.write(`${dockerd.host}\n`);
  await new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}
