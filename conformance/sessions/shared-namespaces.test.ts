import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sessions, type Session } from '../sessions.ts';

/** `--network`, `--ipc` and `--pid` of another container. */
sessions('namespaces of another container', (session) => {
  it('--network container: has its interfaces, names and addresses', async () => {
    const first = await session.background();
    const name = await session.background(['--network', `container:${first}`]);
    const [firstId, namespace] = await facts(session, first, 'net');
    assert.equal(await session.docker.ok('exec', name, 'readlink', '/proc/self/ns/net'), namespace);
    assert.equal(await session.inspect(name, '{{.HostConfig.NetworkMode}}'), `container:${firstId}`);
    assert.equal(await session.inspect(name, '{{.Config.Hostname}}'), firstId.slice(0, 12));
    assert.equal(await session.inspect(name, '{{json .NetworkSettings.Networks}}'), '{}');
    assert.equal(await session.docker.ok('exec', name, 'hostname'), firstId.slice(0, 12));
    await session.docker.ok('exec', first, 'sh', '-c', 'echo 10.1.2.3 shared >> /etc/hosts');
    assert.match(await session.docker.ok('exec', name, 'cat', '/etc/hosts'), /10\.1\.2\.3 shared/);
    const third = await session.background(['--network', `container:${name}`]);
    assert.match(await session.docker.ok('exec', third, 'cat', '/etc/hosts'), /10\.1\.2\.3 shared/);
    assert.equal(await session.docker.ok('exec', third, 'readlink', '/proc/self/ns/net'), namespace);
  });

  it('--pid container: sees its processes, and ends with it', async () => {
    const first = await session.background();
    const name = await session.background(['--pid', `container:${first}`], ['sleep', '1234']);
    const [, namespace] = await facts(session, first, 'pid');
    assert.equal(await session.docker.ok('exec', name, 'readlink', '/proc/self/ns/pid'), namespace);
    assert.match(await session.docker.ok('exec', name, 'ps', '-o', 'pid,args'), /^\s+1 sleep 1000$/m);
    assert.match(await session.docker.ok('exec', first, 'ps', '-o', 'args'), /^sleep 1234$/m);
    await session.docker.ok('kill', first);
    assert.equal(await session.docker.ok('wait', name), '137');
  });

  it('--ipc container: has its shared memory, when that is shareable', async () => {
    const donor = await session.background(['--ipc', 'shareable', '--shm-size', '2m']);
    const name = await session.background(['--ipc', `container:${donor}`]);
    const [, namespace] = await facts(session, donor, 'ipc');
    assert.equal(await session.docker.ok('exec', name, 'readlink', '/proc/self/ns/ipc'), namespace);
    await session.docker.ok('exec', donor, 'sh', '-c', 'echo shared > /dev/shm/f');
    assert.equal(await session.docker.ok('exec', name, 'cat', '/dev/shm/f'), 'shared');
    assert.match(
      await session.docker.ok('exec', name, 'grep', ' /dev/shm ', '/proc/mounts'),
      /nosuid,nodev,noexec.*size=2048k/,
    );
    await session.docker.ok('rm', '-f', donor);
    assert.equal(await session.docker.ok('exec', name, 'cat', '/dev/shm/f'), 'shared');
  });

  it('memory that is not shareable is not shared', async () => {
    const donor = await session.background();
    const { exitCode, stderr } = await session.docker.run([
      'run',
      '--rm',
      '--ipc',
      `container:${donor}`,
      'busybox',
      'true',
    ]);
    assert.equal(exitCode, 125);
    assert.match(stderr, /non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/);
  });

  it('a container that does not run shares nothing', async () => {
    const name = session.name();
    const id = await session.docker.ok('create', '--name', name, 'busybox', 'true');
    const cases = [
      { option: '--network', words: `cannot join network of a non running container: ${id}` },
      { option: '--pid', words: `container ${id} is not running` },
      { option: '--ipc', words: `container ${id} is not running` },
    ];
    for (const { option, words } of cases) {
      const { exitCode, stderr } = await session.docker.run([
        'run',
        '--rm',
        option,
        `container:${name}`,
        'busybox',
        'true',
      ]);
      assert.equal(exitCode, 125);
      assert.ok(stderr.includes(words), stderr);
    }
  });

  it('a container that does not exist is refused: with the network at the start, else when it is made', async () => {
    for (const option of ['--pid', '--ipc']) {
      const { exitCode, stderr } = await session.docker.run(['create', option, 'container:nosuch', 'busybox', 'true']);
      assert.deepEqual([exitCode, stderr], [1, 'Error response from daemon: No such container: nosuch\n']);
    }
    const name = session.name();
    await session.docker.ok('create', '--name', name, '--network', 'container:nosuch', 'busybox', 'true');
    const { exitCode, stderr } = await session.docker.run(['start', name]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /No such container: nosuch/);
  });

  it('what a network of one’s own would be needed for is refused', async () => {
    const first = await session.background();
    const cases = [
      { options: ['-h', 'name'], words: 'hostname and the network mode' },
      { options: ['--dns', '1.1.1.1'], words: 'dns and the network mode' },
      { options: ['--add-host', 'a:1.1.1.1'], words: 'custom host-to-IP mapping and the network mode' },
      { options: ['-p', '80:80'], words: 'port publishing and the container type network mode' },
      { options: ['--expose', '80'], words: 'port exposing and the container type network mode' },
    ];
    for (const { options, words } of cases) {
      const { exitCode, stderr } = await session.docker.run([
        'create',
        '--network',
        `container:${first}`,
        ...options,
        'busybox',
      ]);
      assert.deepEqual([exitCode, stderr], [1, `Error response from daemon: conflicting options: ${words}\n`]);
    }
  });

  it('--group-add adds groups by name and by number', async () => {
    const groups = await session.docker.ok(
      'run',
      '--rm',
      '--group-add',
      '1234',
      '--group-add',
      'root',
      'busybox',
      'id',
      '-G',
    );
    assert.ok(groups.split(' ').includes('1234'), groups);
  });
});

/** Id of a container, and what its processes have for a namespace. */
async function facts(session: Session, name: string, kind: 'net' | 'pid' | 'ipc'): Promise<readonly [string, string]> {
  return [
    await session.inspect(name, '{{.Id}}'),
    await session.docker.ok('exec', name, 'readlink', `/proc/self/ns/${kind}`),
  ];
}
