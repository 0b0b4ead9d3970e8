import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { sessions, type Session } from '../sessions.ts';

/** `docker volume` and everything that puts a volume into a container. */
sessions('docker volume', (session) => {
  it('create, ls, inspect and rm', async () => {
    const name = session.name();
    const { docker } = session;
    assert.equal(await docker.ok('volume', 'create', '--label', 'a=b', name), name);
    assert.equal(await docker.ok('volume', 'create', name), name);
    assert.equal(
      await docker.ok('volume', 'ls', '--filter', 'label=a=b', '--format', '{{.Driver}} {{.Name}}'),
      `local ${name}`,
    );
    const [volume] = JSON.parse(await docker.ok('volume', 'inspect', name)) as Record<string, unknown>[];
    assert.match(String(volume?.['CreatedAt']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(String(volume?.['Mountpoint']), new RegExp(`/volumes/${name}/_data$`));
    assert.deepEqual([volume?.['Labels'], volume?.['Options'], volume?.['Scope']], [{ a: 'b' }, null, 'local']);
    assert.equal(await docker.ok('volume', 'rm', name), name);
    const { exitCode, stderr } = await docker.run(['volume', 'rm', name]);
    assert.equal(exitCode, 1);
    // The second is how clients before 23 say it.
    assert.match(
      stderr,
      new RegExp(`^Error(?: response from daemon: get ${name}: no such volume|: No such volume: ${name})\n$`),
    );
    assert.equal((await docker.run(['volume', 'rm', '-f', name])).exitCode, 0);
    assert.equal((await docker.run(['volume', 'inspect', name])).exitCode, 1);
  });

  it('keeps what containers write into it', async () => {
    const name = session.name();
    await session.docker.ok('run', '--rm', '-v', `${name}:/data`, 'busybox', 'sh', '-c', 'echo kept > /data/f');
    const read = ['run', '--rm', '--mount', `type=volume,src=${name},dst=/other,readonly`, 'busybox'];
    assert.equal(await session.docker.ok(...read, 'cat', '/other/f'), 'kept');
    const { exitCode, stderr } = await session.docker.run([...read, 'touch', '/other/g']);
    assert.equal(exitCode, 1);
    assert.match(stderr, /Read-only file system/);
  });

  it('gives an empty volume what the image has at its place, with owners and modes, and nothing with nocopy', async () => {
    const [filled, bare] = [session.name(), session.name()];
    const root = await session.docker.ok('run', '--rm', 'busybox', 'stat', '-c', '%a %u', '/etc', '/etc/passwd');
    const copy = await session.docker.ok(
      'run',
      '--rm',
      '-v',
      `${filled}:/etc`,
      'busybox',
      'stat',
      '-c',
      '%a %u',
      '/etc',
      '/etc/passwd',
    );
    assert.equal(copy, root);
    const listed = await session.docker.ok('run', '--rm', '-v', `${bare}:/etc:nocopy`, 'busybox', 'ls', '/etc');
    assert.doesNotMatch(listed, /passwd/);
  });

  it('refuses to remove one in use, also by a stopped container', async () => {
    const [volume, container] = [session.name(), session.name()];
    const id = await session.docker.ok('create', '--name', container, '-v', `${volume}:/data`, 'busybox', 'true');
    for (const force of [[], ['-f']]) {
      const { exitCode, stderr } = await session.docker.run(['volume', 'rm', ...force, volume]);
      assert.equal(exitCode, 1);
      assert.equal(stderr, `Error response from daemon: remove ${volume}: volume is in use - [${id}]\n`);
    }
    await session.docker.ok('rm', container);
    await session.docker.ok('volume', 'rm', volume);
  });

  it('shows the mounts of a container, and finds it by them', async () => {
    const [volume, name] = [session.name(), session.name()];
    mkdirSync(join(session.engine.directory, volume));
    const bind = join(session.engine.directory, volume);
    const args = [
      '-v',
      `${volume}:/data:ro`,
      '-v',
      '/anonymous',
      '-v',
      `${bind}:/bind`,
      '--mount',
      `type=volume,src=${volume},dst=/m`,
    ];
    await session.docker.ok('create', '--name', name, ...args, 'busybox', 'true');
    const mounts = JSON.parse(await session.inspect(name, '{{json .Mounts}}')) as Record<
      string,
      string | boolean | undefined
    >[];
    const source = await session.docker.ok('volume', 'inspect', '-f', '{{.Mountpoint}}', volume);
    const shown = mounts
      .map((mount) => ['Destination', 'Type', 'Mode', 'RW', 'Driver'].map((key) => String(mount[key])))
      .toSorted((one, other) => one.join().localeCompare(other.join()));
    assert.deepEqual(shown, [
      ['/anonymous', 'volume', '', 'true', 'local'],
      ['/bind', 'bind', '', 'true', 'undefined'],
      ['/data', 'volume', 'ro', 'false', 'local'],
      ['/m', 'volume', 'z', 'true', 'local'],
    ]);
    assert.equal(mounts.find((mount) => mount['Destination'] === '/data')?.['Source'], source);
    for (const wanted of [volume, '/data', bind, '/anonymous']) {
      assert.equal(
        await session.docker.ok(
          'ps',
          '-a',
          '--filter',
          `volume=${wanted}`,
          '--filter',
          `name=${name}`,
          '--format',
          '{{.Names}}',
        ),
        name,
      );
    }
    assert.equal(await session.docker.ok('ps', '-a', '--filter', 'volume=/nowhere', '--format', '{{.Names}}'), '');
  });

  it('gives another container the same by --volumes-from, read-only when asked', async () => {
    const [volume, first] = [
      session.name(),
      await session.background(['-v', '/shared', '-v', `${session.name()}:/named`]),
    ];
    await session.docker.ok('exec', first, 'sh', '-c', 'echo one > /shared/f; echo two > /named/f');
    const from = ['run', '--rm', '--volumes-from', first];
    assert.equal(await session.docker.ok(...from, 'busybox', 'cat', '/shared/f', '/named/f'), 'one\ntwo');
    const { stderr } = await session.docker.run([
      'run',
      '--rm',
      '--volumes-from',
      `${first}:ro`,
      'busybox',
      'touch',
      '/shared/g',
      '/named/g',
    ]);
    assert.match(stderr, /shared.*Read-only[^]*named.*Read-only/);
    assert.equal(await session.docker.ok(...from, '-v', `${volume}:/named`, 'busybox', 'ls', '/named'), '');
    await session.docker.ok('exec', first, 'test', '-e', '/shared/f');
  });

  it('removes anonymous volumes with rm -v and --rm, named ones never, and none with plain rm', async () => {
    const [named, kept, gone] = [session.name(), session.name(), session.name()];
    const create = async (name: string): Promise<string> => {
      await session.docker.ok('create', '--name', name, '-v', '/anonymous', '-v', `${named}:/named`, 'busybox', 'true');
      return await anonymousOf(session, name);
    };
    const [plain, withVolumes] = [await create(kept), await create(gone)];
    await session.docker.ok('rm', kept);
    await session.docker.ok('rm', '-v', gone);
    const rm = session.name();
    await session.docker.ok(
      'create',
      '--rm',
      '--name',
      rm,
      '-v',
      '/anonymous',
      '-v',
      `${named}:/named`,
      'busybox',
      'true',
    );
    const withRm = await anonymousOf(session, rm);
    await session.docker.ok('start', '-a', rm);
    await session.docker.run(['wait', rm]);
    const left = (await session.docker.ok('volume', 'ls', '-q')).split('\n');
    assert.deepEqual(
      [plain, withVolumes, withRm, named].map((name) => left.includes(name)),
      [true, false, false, true],
    );
  });

  it('announces create, mount, unmount and destroy', async () => {
    const [volume, container] = [session.name(), session.name()];
    const since = String(Math.floor(Date.now() / 1000) - 1);
    await session.docker.ok('volume', 'create', volume);
    const id = await session.docker.ok('create', '--name', container, '-v', `${volume}:/data:ro`, 'busybox', 'true');
    await session.docker.ok('start', '-a', container);
    await session.docker.ok('rm', container);
    await session.docker.ok('volume', 'rm', volume);
    const until = String(Date.now() / 1000 + 1);
    const lines = await session.docker.ok(
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      `volume=${volume}`,
      '--format',
      '{{json .}}',
    );
    const told = lines.split('\n').map((line) => {
      const { Action, Actor } = JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> } };
      return [Action, Actor.Attributes] as const;
    });
    // dockerd 20.10 says `create` again whenever a container takes the volume.
    const distinct = told.filter(([action], index) => action !== 'create' || index === 0);
    assert.deepEqual(distinct, [
      ['create', { driver: 'local' }],
      ['mount', { container: id, destination: '/data', driver: 'local', propagation: '', 'read/write': 'false' }],
      ['unmount', { container: id, driver: 'local' }],
      ['destroy', { driver: 'local' }],
    ]);
  });

  it('mounts what the options of a volume say, while somebody uses it', async () => {
    const [tmpfs, bound] = [session.name(), session.name()];
    const { docker } = session;
    await docker.ok('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=64k,mode=750', tmpfs);
    const told = await docker.ok(
      'run',
      '--rm',
      '-v',
      `${tmpfs}:/t`,
      'busybox',
      'sh',
      '-c',
      'stat -c %a /t; grep " /t " /proc/mounts',
    );
    assert.match(told, /^750\ntmpfs \/t tmpfs .*size=64k/);
    const directory = join(session.engine.directory, bound);
    mkdirSync(directory);
    writeFileSync(join(directory, 'f'), 'from the host');
    await docker.ok('volume', 'create', '-o', 'type=none', '-o', `device=${directory}`, '-o', 'o=bind', bound);
    assert.equal(await docker.ok('run', '--rm', '-v', `${bound}:/b`, 'busybox', 'cat', '/b/f'), 'from the host');
    await docker.ok('volume', 'rm', bound);
    assert.equal(readFileSync(join(directory, 'f'), 'utf8'), 'from the host');
    assert.doesNotMatch(readFileSync('/proc/mounts', 'utf8'), new RegExp(`/volumes/(${tmpfs}|${bound})/`));
  });

  it('says what is wrong in the words that people know', async () => {
    const cases = [
      [
        ['volume', 'create', 'x'],
        /create x: volume name is too short, names should be at least two alphanumeric characters/,
      ],
      [['volume', 'create', 'x/y'], /create x\/y: "x\/y" includes invalid characters for a local volume name, only/],
      [['volume', 'create', '-o', 'bogus=1', 'good'], /create good: invalid option: "bogus"/],
      [
        ['volume', 'create', '-d', 'nosuch', 'good'],
        /create good: error looking up volume plugin nosuch: plugin "nosuch" not found/,
      ],
      [['create', '-v', 'xx:/a', '-v', 'yy:/a', 'busybox'], /Duplicate mount point: \/a/],
      [['create', '-v', 'xx:/a:bogus', 'busybox'], /invalid mode: bogus/],
      [['create', '-v', 'x y:/a', 'busybox'], /create x y: "x y" includes invalid characters/],
      [['create', '-v', '/bin/sh', 'busybox'], /cannot mount volume over existing file, file exists/],
      [['create', '--volumes-from', 'nosuch', 'busybox'], /No such container: nosuch/],
      [['create', '--volumes-from', 'x:bogus', 'busybox'], /invalid mode: bogus/],
    ] as const;
    for (const [args, words] of cases) {
      const { exitCode, stderr } = await session.docker.run(args);
      assert.equal(exitCode, 1, args.join(' '));
      assert.match(stderr, words);
    }
  });

  it('makes nothing for a container that could not be made', async () => {
    const before = await session.docker.ok('volume', 'ls', '-q', '--filter', 'name=^[0-9a-f]{64}$');
    const { exitCode } = await session.docker.run(['create', '-v', '/fine', '-v', '/bin/sh', 'busybox', 'true']);
    assert.equal(exitCode, 1);
    const after = await session.docker.ok('volume', 'ls', '-q', '--filter', 'name=^[0-9a-f]{64}$');
    for (const name of after.split('\n').filter((line) => !before.includes(line))) {
      // Other tests of this file make some, too; theirs are in use or named by a container of theirs.
      assert.notEqual(await session.docker.ok('ps', '-aq', '--filter', `volume=${name}`), '');
    }
  });
});

/** The one anonymous volume of a container. */
async function anonymousOf(session: Session, container: string): Promise<string> {
  const template = '{{range .Mounts}}{{if eq .Destination "/anonymous"}}{{.Name}}{{end}}{{end}}';
  return await session.inspect(container, template);
}
