import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { layerTar } from '@fairlead/testkit';
import Docker from 'dockerode';
import { sessions, type Session } from '../sessions.ts';

/** Writes to both streams and ends with 3. */
const SPEAKS = ['sh', '-c', 'echo out; echo err >&2; exit 3'];

/** dockerode as its readme shows it: a socket, no version in the paths. */
function dockerodeOf(session: Session): Docker {
  return new Docker({ socketPath: session.engine.socketPath });
}

/** Its types promise less than it gives. */
function readable(stream: NodeJS.ReadableStream): Readable {
  return stream as Readable;
}

/** What both streams said, taken apart by dockerode itself. */
async function demuxed(docker: Docker, stream: Readable): Promise<readonly [string, string]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.once('end', () => [stdout, stderr].forEach((one) => one.end()));
  return await Promise.all([text(stdout), text(stderr)]);
}

async function sleeper(session: Session, docker: Docker): Promise<Docker.Container> {
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    name: session.name(),
    Labels: { of: 'dockerode' },
  });
  await container.start();
  return container;
}

/** A failure as dockerode tells it: its status, and the engine's words. */
function failed(statusCode: number, words: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Error && 'statusCode' in error, String(error));
    assert.equal(error.statusCode, statusCode, String(error));
    assert.match(String(error), words);
    return true;
  };
}

sessions('dockerode', (session) => {
  it('creates, attaches before the start, starts, waits, inspects and removes', async () => {
    const docker = dockerodeOf(session);
    const container = await docker.createContainer({ Image: 'busybox', Cmd: SPEAKS });
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    const said = demuxed(docker, readable(stream));
    await container.start();
    assert.equal((await container.wait()).StatusCode, 3);
    assert.deepEqual(await said, ['out\n', 'err\n']);
    const { State, Config } = await container.inspect();
    assert.deepEqual([State.Status, State.ExitCode, Config.Image], ['exited', 3, 'busybox']);
    await container.remove();
    await assert.rejects(container.inspect(), failed(404, /No such container/));
  });

  it('runs with callbacks and with promises, with a terminal and without', async () => {
    const docker = dockerodeOf(session);
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const [result, container] = await docker.run('busybox', SPEAKS, [stdout, stderr], { Tty: false });
    assert.deepEqual([result.StatusCode, await text(stdout), await text(stderr)], [3, 'out\n', 'err\n']);
    await container.remove();
    const screen = new PassThrough();
    const code = await new Promise<number>((resolve, reject) => {
      docker.run('busybox', ['tty'], screen, { HostConfig: { AutoRemove: true } }, (error, { StatusCode }) =>
        error ? reject(error) : resolve(StatusCode),
      );
    });
    assert.deepEqual([code, (await text(screen)).startsWith('/dev/')], [0, true]);
  });

  it('tells a start that cannot be: 404 for the image, 400 for the command', async () => {
    const docker = dockerodeOf(session);
    await assert.rejects(docker.createContainer({ Image: 'nosuch' }), failed(404, /No such image: nosuch:latest/));
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['nosuch'] });
    await assert.rejects(container.start(), failed(400, /executable file not found/));
    assert.equal((await container.inspect()).State.ExitCode, 127);
    await container.remove();
  });

  it('sends input over a connection taken over, and half-closes it', async () => {
    const docker = dockerodeOf(session);
    const container = await docker.createContainer({
      ...{ Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true },
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    const said = demuxed(docker, readable(stream));
    stream.write('before the start, ');
    await container.start();
    stream.end('and after');
    assert.deepEqual(await said, ['before the start, and after', '']);
    assert.equal((await container.wait()).StatusCode, 0);
    await container.remove();
  });

  it('sends input behind a request that was not upgraded', async () => {
    const docker = dockerodeOf(session);
    const container = await docker.createContainer({
      ...{ Image: 'busybox', Cmd: ['head', '-n1'], OpenStdin: true, StdinOnce: true, AttachStdin: true },
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true });
    const said = demuxed(docker, readable(stream));
    await container.start();
    stream.write('follows the request\n');
    assert.deepEqual(await said, ['follows the request\n', '']);
    await container.wait();
    await container.remove();
  });

  it('stops, starts, restarts, kills, pauses and renames, and says 304 and 409', async () => {
    const docker = dockerodeOf(session);
    const container = await sleeper(session, docker);
    await assert.rejects(container.start(), failed(304, /container already started/));
    await container.pause();
    assert.equal((await container.inspect()).State.Status, 'paused');
    await assert.rejects(container.pause(), failed(409, /is already paused/));
    await container.unpause();
    const renamed = session.name();
    await container.rename({ name: renamed });
    assert.equal((await docker.getContainer(renamed).inspect()).Name, `/${renamed}`);
    await container.restart({ t: 0 });
    await container.kill({ signal: 'SIGKILL' });
    await assert.rejects(container.kill(), failed(409, /is not running/));
    await assert.rejects(container.stop(), failed(304, /container already stopped/));
    await container.start();
    await assert.rejects(container.remove(), failed(409, /container is running|a running container/));
    await container.stop({ t: 0 });
    await container.remove({ v: true, force: true });
    await assert.rejects(container.stop(), failed(404, /No such container/));
  });

  it('lists by filters, tells processes, changes and statistics, and updates limits', async () => {
    const docker = dockerodeOf(session);
    const container = await sleeper(session, docker);
    const listed = await docker.listContainers({ filters: { label: ['of=dockerode'], id: [container.id] } });
    assert.deepEqual(
      listed.map(({ Id, State, Labels }) => [Id, State, Labels]),
      [[container.id, 'running', { of: 'dockerode' }]],
    );
    const { Titles, Processes } = await container.top({ ps_args: 'aux' });
    assert.deepEqual([Titles.at(-1), Processes[0]?.at(-1)], ['COMMAND', 'sleep 1000']);
    const [sample, streamed] = await Promise.all([
      container.stats({ stream: false, 'one-shot': true }),
      container.stats({ stream: true }),
    ]);
    assert.ok(sample.memory_stats.usage > 0 && sample.pids_stats?.current === 1);
    assert.match(String(await once(streamed, 'data')), /"cpu_stats"/);
    readable(streamed).destroy();
    await container.update({ Memory: 64 * 1024 * 1024, MemorySwap: -1 });
    assert.equal((await container.inspect()).HostConfig.Memory, 64 * 1024 * 1024);
    await container.remove({ force: true });
  });

  it('execs with and without taking the connection over, and asks for the exit code', async () => {
    const docker = dockerodeOf(session);
    const container = await sleeper(session, docker);
    const both = { AttachStdout: true, AttachStderr: true };
    for (const hijack of [false, true]) {
      const exec = await container.exec({ Cmd: SPEAKS, ...both });
      assert.deepEqual(await demuxed(docker, readable(await exec.start({ hijack }))), ['out\n', 'err\n']);
      const { Running, ExitCode } = await exec.inspect();
      assert.deepEqual([Running, ExitCode], [false, 3]);
    }
    const cat = await container.exec({ Cmd: ['cat'], AttachStdin: true, ...both });
    const duplex = await cat.start({ hijack: true, stdin: true });
    const said = demuxed(docker, duplex);
    duplex.end('to its end');
    assert.deepEqual(await said, ['to its end', '']);
    const head = await container.exec({ Cmd: ['head', '-n1'], AttachStdin: true, ...both });
    const plain = await head.start({ stdin: true });
    plain.write('behind the request\nmore\n');
    assert.deepEqual(await demuxed(docker, plain), ['behind the request\n', '']);
    await container.remove({ force: true });
  });

  it('execs at a terminal with a size of its own, detached, and refuses what cannot be', async () => {
    const docker = dockerodeOf(session);
    const container = await sleeper(session, docker);
    const shell = await container.exec({
      Cmd: ['sh', '-c', 'read line; stty size'],
      ...{ AttachStdin: true, AttachStdout: true, Tty: true, Env: ['A=b'], WorkingDir: '/tmp', User: 'nobody' },
    });
    const screen = await shell.start({ hijack: true, stdin: true, Tty: true });
    await shell.resize({ h: 31, w: 97 });
    screen.write('go\n');
    assert.match(await text(screen), /31 97\r\n$/);
    const detached = await container.exec({ Cmd: ['touch', '/tmp/detached'] });
    await text(await detached.start({ Detach: true }));
    while ((await detached.inspect()).Running) await sleep(20);
    assert.equal((await detached.inspect()).ExitCode, 0);
    await assert.rejects(container.exec({ Cmd: [] }), failed(400, /[Nn]o exec command specified/));
    await assert.rejects(docker.getExec('nosuch').inspect(), failed(404, /No such exec instance/));
    await container.remove({ force: true });
    await assert.rejects(detached.inspect(), failed(404, /No such exec instance/));
  });

  it('reads logs: whole, the end of them, and as they come', async () => {
    const docker = dockerodeOf(session);
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sh', '-c', 'echo one; echo two >&2; sleep 0.5; echo three'],
    });
    await container.start();
    const follow = await container.logs({ follow: true, stdout: true, stderr: true });
    assert.deepEqual(await demuxed(docker, readable(follow)), ['one\nthree\n', 'two\n']);
    await container.wait();
    const whole = await container.logs({ stdout: true, stderr: false });
    assert.ok(Buffer.isBuffer(whole));
    assert.equal(whole.length, 8 + 'one\n'.length + 8 + 'three\n'.length);
    const last = await container.logs({ stdout: true, stderr: true, tail: 1, timestamps: true });
    assert.match(last.subarray(8).toString(), /^\d{4}-\d\d-\d\dT\S+Z three\n$/);
    await assert.rejects(container.logs({}), failed(400, /you must choose at least one stream/));
    await container.remove();
  });

  it('gives up a wait and a log when the caller aborts', async () => {
    const docker = dockerodeOf(session);
    const container = await sleeper(session, docker);
    const caller = new AbortController();
    const waiting = [
      container.wait({ abortSignal: caller.signal }),
      container.logs({ stdout: true, follow: true, abortSignal: caller.signal }).then((stream) => text(stream)),
    ];
    setTimeout(() => caller.abort(), 100);
    for (const outcome of await Promise.allSettled(waiting)) assert.equal(outcome.status, 'rejected');
    assert.equal((await container.inspect()).State.Running, true);
    await container.remove({ force: true });
  });

  it('hears events as they happen, and those that were', async () => {
    const docker = dockerodeOf(session);
    const name = session.name();
    const since = Math.floor(Date.now() / 1000) - 1;
    const live = readable(await docker.getEvents({ filters: { container: [name], event: ['start', 'die'] } }));
    const [, container] = await docker.run('busybox', ['true'], [], { name, Tty: false });
    const heard: string[] = [];
    for await (const chunk of live) {
      heard.push(...eventsIn(String(chunk)));
      if (heard.includes('die 0')) break;
    }
    assert.deepEqual(heard, ['start undefined', 'die 0']);
    await container.remove();
    const until = Math.ceil(Date.now() / 1000);
    const past = await docker.getEvents({ since, until, filters: { container: [name], type: ['container'] } });
    assert.deepEqual(eventsIn(await text(past)), [
      ...['create undefined', 'attach undefined', 'start undefined', 'die 0', 'destroy undefined'],
    ]);
  });

  it('puts files in, asks about them, and gets them out', async () => {
    const docker = dockerodeOf(session);
    const container = await docker.createContainer({ Image: 'busybox', Cmd: ['cat', '/srv/there/file'] });
    const tar = await layerTar([{ name: 'srv/' }, { name: 'srv/there/' }, { name: 'srv/there/file', content: 'kept' }]);
    await container.putArchive(Buffer.from(tar), { path: '/' });
    const about = await container.infoArchive({ path: '/srv/there/file' });
    const stat: unknown = JSON.parse(
      Buffer.from(String(about.headers['x-docker-container-path-stat']), 'base64').toString(),
    );
    assert.deepEqual([(stat as { name: string }).name, (stat as { size: number }).size], ['file', 4]);
    const out = await buffer(await container.getArchive({ path: '/srv/there' }));
    assert.equal(execFileSync('tar', ['-xO', 'there/file'], { input: out, encoding: 'utf8' }), 'kept');
    await assert.rejects(container.getArchive({ path: '/nosuch' }), failed(404, /Could not find the file \/nosuch/));
    const exported = await buffer(await container.export());
    assert.equal(execFileSync('tar', ['-xO', 'srv/there/file'], { input: exported, encoding: 'utf8' }), 'kept');
    const changes = await container.changes();
    assert.ok(Array.isArray(changes) && changes.some(({ Path, Kind }) => Path === '/srv/there/file' && Kind === 1));
    await container.remove();
  });

  it('loads, tags, lists, inspects, commits and removes images', async () => {
    const docker = dockerodeOf(session);
    const loading = await docker.loadImage(createReadStream(session.engine.imagePath));
    assert.match(await text(loading), /Loaded image: busybox:latest/);
    const busybox = docker.getImage('busybox');
    await busybox.tag({ repo: 'tagged', tag: 'v1' });
    const [listed] = await docker.listImages({ filters: { reference: ['tagged'] } });
    const { Id, RepoTags, RootFS } = await docker.getImage('tagged:v1').inspect();
    assert.equal(listed?.Id, Id);
    assert.ok(RepoTags.includes('tagged:v1') && RootFS.Layers?.length === 1);
    assert.ok((await busybox.history()).length > 0);
    const container = await docker.createContainer({ Image: 'tagged:v1', Cmd: ['true'] });
    const made = (await container.commit({ repo: 'committed', changes: 'ENV A=b' })) as { Id: string };
    assert.ok((await docker.getImage(made.Id).inspect()).Config.Env.includes('A=b'));
    await container.remove();
    await docker.getImage('committed').remove();
    assert.deepEqual(await docker.getImage('tagged:v1').remove(), [{ Untagged: 'tagged:v1' }]);
    await assert.rejects(docker.getImage('tagged:v1').inspect(), failed(404, /No such image/));
  });

  it('asks about the engine', async () => {
    const docker = dockerodeOf(session);
    assert.equal(String(await docker.ping()), 'OK');
    const [version, info, usage] = await Promise.all([docker.version(), docker.info(), docker.df()]);
    assert.equal(version.Os, 'linux');
    assert.ok((info as { NCPU: number }).NCPU > 0);
    assert.ok((usage as { Images: unknown[] }).Images.length > 0);
    await assert.rejects(docker.listServices(), failed(503, /not a swarm manager/));
  });

  it('makes volumes, uses them, and removes them', async () => {
    const docker = dockerodeOf(session);
    const name = session.name();
    await docker.createVolume({ Name: name, Labels: { of: 'dockerode' } });
    const { Volumes } = await docker.listVolumes({ filters: { label: ['of=dockerode'] } });
    assert.deepEqual(
      Volumes.map(({ Name }) => Name),
      [name],
    );
    const HostConfig = { Binds: [`${name}:/kept`] };
    const [written, writer] = await docker.run('busybox', ['touch', '/kept/file'], [], { Tty: false, HostConfig });
    const [read, reader] = await docker.run('busybox', ['test', '-e', '/kept/file'], [], { Tty: false, HostConfig });
    assert.deepEqual([written.StatusCode, read.StatusCode], [0, 0]);
    await assert.rejects(docker.getVolume(name).remove(), failed(409, /volume is in use/));
    await Promise.all([writer.remove(), reader.remove()]);
    await docker.getVolume(name).remove();
    await assert.rejects(docker.getVolume(name).inspect(), failed(404, /no such volume/));
  });
});

/** Each event's action, and its exit code. */
function eventsIn(lines: string): readonly string[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { Action: string; Actor: { Attributes: { exitCode?: string } } })
    .map(({ Action, Actor }) => `${Action} ${Actor.Attributes.exitCode}`);
}
