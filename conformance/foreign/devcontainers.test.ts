import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DOCKER_PROGRAM } from '../docker-cli.ts';
import { RunningCommand, type CommandResult } from '../running-command.ts';
import { sessions, type Session } from '../sessions.ts';

/** The devcontainer program, as its package names it. It drives the docker program. */
const PROGRAM = join(dirname(fileURLToPath(import.meta.resolve('@devcontainers/cli/package.json'))), 'devcontainer.js');

/** A project on the host with a devcontainer.json, and the devcontainer program at work in it. */
class Workspace {
  readonly directory: string;
  readonly #session: Session;

  constructor(session: Session, configuration: object, files: Readonly<Record<string, string>> = {}) {
    this.#session = session;
    this.directory = join(session.engine.directory, session.name());
    const all = { '.devcontainer/devcontainer.json': JSON.stringify(configuration), ...files };
    for (const [name, content] of Object.entries(all)) {
      mkdirSync(dirname(join(this.directory, name)), { recursive: true });
      writeFileSync(join(this.directory, name), content);
    }
  }

  async run(verb: string, args: readonly string[] = [], input: string = ''): Promise<CommandResult> {
    const { directory, socketPath } = this.#session.engine;
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      TMPDIR: directory,
      DOCKER_CONFIG: directory,
      DOCKER_HOST: `unix://${socketPath}`,
    };
    const where = ['--docker-path', DOCKER_PROGRAM, '--workspace-folder', this.directory];
    const program = process.execPath;
    await using command = new RunningCommand({ program, args: [PROGRAM, verb, ...where, ...args], env });
    command.write(input);
    command.endInput();
    return await command.result();
  }

  /** What `devcontainer up` says at its end. */
  async up(args: readonly string[] = []): Promise<Readonly<Record<string, string>>> {
    const { stdout, stderr } = await this.run('up', args);
    try {
      return JSON.parse(stdout) as Readonly<Record<string, string>>;
    } catch (cause) {
      throw new Error(`devcontainer up said ${stdout}${stderr}`, { cause });
    }
  }
}

sessions('devcontainer', (session) => {
  it('goes up, runs what is to be run after its creation, and execs', async () => {
    const workspace = new Workspace(
      session,
      {
        image: 'busybox',
        containerEnv: { OF_CONTAINER: 'c' },
        remoteEnv: { OF_REMOTE: 'r' },
        postCreateCommand: 'echo created > /tmp/created',
        postStartCommand: ['touch', '/tmp/started'],
      },
      { 'source.txt': 'of the host\n' },
    );
    const { outcome, containerId, remoteUser } = await workspace.up();
    assert.deepEqual([outcome, remoteUser], ['success', 'root']);
    const script = 'echo $OF_CONTAINER $OF_REMOTE; cat source.txt; ls /tmp; exit 5';
    const { exitCode, stdout } = await workspace.run('exec', ['sh', '-c', script]);
    assert.deepEqual([exitCode, stdout], [5, 'c r\nof the host\ncreated\nstarted\n']);
    assert.equal((await workspace.run('exec', ['cat'], 'given\n')).stdout, 'given\n');
    await session.docker.ok('rm', '-f', String(containerId));
  });

  it('finds its container again, starts it when it was stopped, and replaces it', async () => {
    const workspace = new Workspace(session, { image: 'busybox' });
    const { containerId } = await workspace.up();
    assert.equal((await workspace.up())['containerId'], containerId);
    await session.docker.ok('stop', '-t', '0', String(containerId));
    assert.equal((await workspace.up())['containerId'], containerId);
    assert.equal(await session.inspect(String(containerId), '{{.State.Running}}'), 'true');
    const replaced = await workspace.up(['--remove-existing-container']);
    assert.notEqual(replaced['containerId'], containerId);
    assert.equal((await session.docker.run(['inspect', String(containerId)])).exitCode, 1);
    await session.docker.ok('rm', '-f', String(replaced['containerId']));
  });

  it('has another user, a volume, limits and a first process of its own', async () => {
    const workspace = new Workspace(session, {
      image: 'busybox',
      ...{ remoteUser: 'nobody', updateRemoteUserUID: false, init: true },
      runArgs: ['--memory=64m', '--hostname=box'],
      mounts: ['source=devcontainer-cache,target=/cache,type=volume'],
      workspaceFolder: '/code',
      workspaceMount: 'source=${localWorkspaceFolder},target=/code,type=bind',
    });
    const { containerId } = await workspace.up();
    const script = 'id -un; hostname; pwd; grep -c " /cache " /proc/mounts; cat /proc/1/comm';
    const { stdout } = await workspace.run('exec', ['sh', '-c', script]);
    const [user, hostname, directory, mounts, first] = stdout.split('\n');
    assert.deepEqual([user, hostname, directory, mounts], ['nobody', 'box', '/code', '1']);
    assert.match(String(first), /tini|docker-init/);
    assert.equal(await session.inspect(String(containerId), '{{.HostConfig.Memory}}'), String(64 * 1024 * 1024));
    await session.docker.ok('rm', '-f', '-v', String(containerId));
    await session.docker.ok('volume', 'rm', 'devcontainer-cache');
  });

  it('is told when what it wants is not there', async () => {
    const missing = await new Workspace(session, { image: 'busybox:nosuch' }).run('up');
    assert.equal(missing.exitCode, 1);
    assert.match(missing.stdout, /"outcome":"error"/);
    const built = await new Workspace(
      session,
      { build: { dockerfile: 'Dockerfile' } },
      { '.devcontainer/Dockerfile': 'FROM busybox\n' },
    ).run('up');
    const outcome = session.differs({ fairlead: 'error', dockerd: 'success' });
    assert.match(built.stdout, new RegExp(`"outcome":"${outcome}"`));
    if (outcome === 'error') assert.match(built.stderr, /"POST \/build" is not implemented by this engine yet/);
  });
});
