import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { busyboxImage, dockerArchive, layerTar, legacyDockerArchive, ociArchive, sketchId } from '@fairlead/testkit';
import { sessions } from '../sessions.ts';

const ID = /^sha256:[0-9a-f]{64}$/;

sessions('docker images and about the engine', (session) => {
  it('version names client and server', async () => {
    const { exitCode, stdout } = await session.docker.run(['version']);
    assert.equal(exitCode, 0);
    assert.match(
      stdout,
      /Client:[\s\S]*Server:[\s\S]*Engine:\n\s+Version: +\S+\n\s+API version: +1\.\d+ \(minimum version 1\.\d+\)/,
    );
    const format = '{{.Server.Os}}/{{.Server.Arch}} {{.Server.APIVersion}} {{.Server.MinAPIVersion}}';
    assert.match(
      await session.docker.ok('version', '-f', format),
      session.differs({ fairlead: /^linux\/\w+ 1\.44 1\.24$/, dockerd: /^linux\/\w+ 1\.41 1\.12$/ }),
    );
  });

  it('info counts containers and images, and says what the engine is made of', async () => {
    const { exitCode, stdout } = await session.docker.run(['info']);
    assert.equal(exitCode, 0);
    for (const line of [
      / Storage Driver: overlay2\n/,
      / Logging Driver: json-file\n/,
      / Swarm: inactive\n/,
      / OSType: linux\n/,
      / CPUs: \d+\n/,
    ]) {
      assert.match(stdout, line);
    }
    const template = '{{.Driver}} {{.ContainersRunning}} {{.NCPU}} {{.DockerRootDir}}';
    const [driver, running, cpus, root] = (await session.docker.ok('info', '-f', template)).split(' ');
    assert.deepEqual(
      [driver, Number(cpus) > 0, root],
      ['overlay2', true, join(session.engine.directory, '..', 'root')],
    );
    await session.background();
    assert.ok(Number(await session.docker.ok('info', '-f', '{{.ContainersRunning}}')) >= Number(running) + 1);
  });

  it('images lists name, tag, short id and size', async () => {
    const { stdout } = await session.docker.run(['images', 'busybox']);
    assert.match(
      stdout,
      /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbusybox +latest +[0-9a-f]{12} +\d+ \w+ ago +[\d.]+MB\n$/,
    );
  });

  for (const [format, archive] of [
    ['docker', dockerArchive],
    ['older docker', legacyDockerArchive],
    ['OCI', ociArchive],
  ] as const) {
    it(`load takes a ${format} archive, and what is in it runs`, async () => {
      // dockerd takes an OCI layout since 25.
      if (format === 'OCI' && session.kind === 'dockerd') return;
      const tag = `loaded-${format.replaceAll(' ', '-').toLowerCase()}:1`;
      const image = { ...(await busyboxImage([tag])), config: { Cmd: ['echo', format] } };
      const path = join(session.engine.directory, `${format}.tar`);
      writeFileSync(path, await archive([image]));
      assert.equal(await session.docker.ok('load', '-i', path), `Loaded image: ${tag}`);
      assert.equal(await session.docker.ok('image', 'inspect', '-f', '{{.Id}}', tag), sketchId(image));
      assert.equal(await session.docker.ok('run', '--rm', tag), format);
    });
  }

  it('load reads standard input, also of what is there already', async () => {
    const { exitCode, stdout } = await session.docker.run(['load'], readFileSync(session.engine.imagePath));
    assert.deepEqual([exitCode, stdout], [0, 'Loaded image: busybox:latest\n']);
  });

  it('load of an archive without a name says the id', async () => {
    const image = { ...(await busyboxImage([])), config: { Cmd: ['true'], Labels: { of: 'nameless' } } };
    const { stdout } = await session.docker.run(['load'], await dockerArchive([image]));
    assert.equal(stdout, `Loaded image ID: ${sketchId(image)}\n`);
  });

  for (const [what, archive] of [
    ['garbage', async () => 'no archive at all'],
    ['an archive of something else', async () => await layerTar([{ name: 'file', content: 'x' }])],
  ] as const) {
    it(`load of ${what} fails and leaves nothing`, async () => {
      const bytes = await archive();
      const before = await session.docker.ok('images', '-aq', 'busybox');
      const { exitCode, stdout } = await session.docker.run(['load'], bytes);
      assert.deepEqual([exitCode, stdout], [1, '']);
      assert.equal(await session.docker.ok('images', '-aq', 'busybox'), before);
    });
  }

  it('save writes an archive that load reads, with all tags of a name', async () => {
    await session.docker.ok('tag', 'busybox', 'saved:1');
    await session.docker.ok('tag', 'busybox', 'saved:2');
    const id = await session.docker.ok('inspect', '-f', '{{.Id}}', 'busybox');
    const path = join(session.engine.directory, 'saved.tar');
    await session.docker.ok('save', '-o', path, 'saved');
    await session.docker.ok('rmi', 'saved:1', 'saved:2');
    const loaded = await session.docker.ok('load', '-i', path);
    assert.deepEqual(loaded.split('\n').toSorted(), ['Loaded image: saved:1', 'Loaded image: saved:2']);
    assert.equal(await session.docker.ok('inspect', '-f', '{{.Id}}', 'saved:2'), id);
    assert.equal(await session.docker.ok('run', '--rm', 'saved:1', 'echo', 'runs'), 'runs');
    await session.docker.ok('rmi', 'saved:1', 'saved:2');
  });

  it('save refuses a name that nobody has', async () => {
    const path = join(session.engine.directory, 'none.tar');
    const { exitCode, stderr } = await session.docker.run(['save', '-o', path, 'nosuch']);
    assert.equal(exitCode, 1);
    assert.match(stderr, /No such image: nosuch/);
    const { status } = await session.ask('GET /v1.41/images/nosuch/get');
    assert.equal(status, 404);
  });

  it('import makes an image of a file system, with changes and a comment', async () => {
    const busybox = await busyboxImage();
    const path = join(session.engine.directory, 'rootfs.tar');
    writeFileSync(path, busybox.layers[0] ?? '');
    const changes = [
      '-c',
      'CMD ["sh", "-c", "echo $GREETING from $(pwd)"]',
      '-c',
      'ENV GREETING=hello',
      '-c',
      'WORKDIR /etc',
    ];
    const { stdout } = await session.docker.run(['import', ...changes, '-m', 'from a tar', path, 'imported:1']);
    assert.match(stdout.trim(), ID);
    assert.equal(await session.docker.ok('run', '--rm', 'imported:1'), 'hello from /etc');
    assert.equal(await session.docker.ok('history', '--format', '{{.Comment}}', 'imported:1'), 'from a tar');
    const fromPipe = await session.docker.run(['import', '-', 'imported:2'], readFileSync(path));
    assert.match(fromPipe.stdout.trim(), ID);
  });

  it('import refuses a change that is none', async () => {
    const path = join(session.engine.directory, 'small.tar');
    writeFileSync(path, await layerTar([{ name: 'file', content: 'x' }]));
    const { exitCode, stderr } = await session.docker.run(['import', '-c', 'RUN true', path]);
    assert.deepEqual([exitCode, stderr], [1, 'Error response from daemon: run is not a valid change command\n']);
  });

  it('tag gives another name, rmi takes it away again', async () => {
    assert.equal(await session.docker.ok('tag', 'busybox', 'house.example:5000/team/box:v1'), '');
    const [one, two] = await Promise.all(
      ['busybox', 'house.example:5000/team/box:v1'].map((ref) => session.docker.ok('images', '-q', ref)),
    );
    assert.equal(one, two);
    assert.equal(
      await session.docker.ok('rmi', 'house.example:5000/team/box:v1'),
      'Untagged: house.example:5000/team/box:v1',
    );
    assert.equal(await session.docker.ok('images', '-q', 'house.example:5000/team/box'), '');
  });

  it('rmi of the last name deletes the image, and says which', async () => {
    const image = {
      ...(await busyboxImage(['short-lived:1'])),
      config: { Cmd: ['true'], Labels: { of: 'short-lived' } },
    };
    await session.docker.run(['load'], await dockerArchive([image]));
    assert.equal(
      await session.docker.ok('rmi', 'short-lived:1'),
      `Untagged: short-lived:1\nDeleted: ${sketchId(image)}`,
    );
    const { exitCode } = await session.docker.run(['image', 'inspect', 'short-lived:1']);
    assert.equal(exitCode, 1);
  });

  it('rmi refuses an image that a container uses; -f deletes it under a stopped one, which still starts', async () => {
    const image = { ...(await busyboxImage(['used:1'])), config: { Cmd: ['sleep', '1000'], Labels: { of: 'used' } } };
    await session.docker.run(['load'], await dockerArchive([image]));
    const [short, name] = [sketchId(image).slice(7, 19), session.name()];
    const container = (await session.docker.ok('run', '-d', '--name', name, 'used:1')).slice(0, 12);
    const byName = await session.docker.run(['rmi', 'used:1']);
    assert.deepEqual(
      [byName.exitCode, byName.stderr],
      [
        1,
        `Error response from daemon: conflict: unable to remove repository reference "used:1" (must force) - container ${container} is using its referenced image ${short}\n`,
      ],
    );
    const byId = await session.docker.run(['rmi', '-f', short]);
    assert.deepEqual(
      [byId.exitCode, byId.stderr],
      [
        1,
        `Error response from daemon: conflict: unable to delete ${short} (cannot be forced) - image is being used by running container ${container}\n`,
      ],
    );
    await session.docker.ok('kill', name);
    assert.equal(await session.docker.ok('rmi', '-f', 'used:1'), `Untagged: used:1\nDeleted: ${sketchId(image)}`);
    await session.docker.ok('start', name);
    assert.equal(await session.inspect(name, '{{.State.Running}}'), 'true');
  });

  it('history tells the layers, newest first', async () => {
    const image = await busyboxImage(['with-history:1']);
    const document = {
      history: [
        { created: '2024-01-01T00:00:00Z', created_by: 'ADD busybox' },
        { created: '2024-01-02T00:00:00Z', created_by: 'ENV A=b', comment: 'later', empty_layer: true },
      ],
    };
    await session.docker.run(['load'], await dockerArchive([{ ...image, document }]));
    const format = '{{.ID}} {{.CreatedBy}} {{.Size}} {{.Comment}}';
    const lines = (
      await session.docker.ok('history', '--no-trunc', '-H=false', '--format', format, 'with-history:1')
    ).split('\n');
    const id = await session.docker.ok('image', 'inspect', '-f', '{{.Id}}', 'with-history:1');
    assert.equal(lines[0], `${id} ENV A=b 0 later`);
    assert.match(lines[1] ?? '', /^<missing> ADD busybox \d{7} $/);
  });

  it('inspect tells what the image is', async () => {
    const format =
      '{{.RepoTags}} {{.Architecture}} {{.Os}} {{json .Config.Cmd}} {{.RootFS.Type}} {{len .RootFS.Layers}}';
    const architecture = await session.docker.ok('version', '-f', '{{.Server.Arch}}');
    assert.match(
      await session.docker.ok('inspect', '-f', format, 'busybox'),
      new RegExp(`busybox:latest.* ${architecture} linux \\["sh"\\] layers 1$`),
    );
  });

  const UNKNOWN: readonly { readonly args: readonly string[]; readonly stderr: RegExp }[] = [
    { args: ['tag', 'nosuch', 'other'], stderr: /^Error response from daemon: No such image: nosuch:latest\n$/ },
    {
      args: ['rmi', 'nosuch'],
      stderr: /^Error(: No such image: nosuch| response from daemon: No such image: nosuch:latest)\n$/,
    },
    { args: ['history', 'nosuch'], stderr: /^Error response from daemon: No such image: nosuch:latest\n$/ },
    { args: ['inspect', 'nosuch'], stderr: /^Error: No such object: nosuch\n$/ },
    { args: ['create', '--pull', 'never', 'nosuch'], stderr: /No such image: nosuch:latest/ },
  ];
  for (const { args, stderr } of UNKNOWN) {
    it(`${args.join(' ')} says that there is none`, async () => {
      const ran = await session.docker.run(args);
      assert.equal(ran.exitCode, 1);
      assert.match(ran.stderr, stderr);
    });
  }
});
