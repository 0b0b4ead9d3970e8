import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sessions, type Session } from '../sessions.ts';

const ALONE: readonly string[] = ['--network', 'none'];

/** A container that ran to its end. */
async function ended(session: Session, script: string, options: readonly string[] = []): Promise<string> {
  const name = session.name();
  await session.docker.run(['run', '--name', name, ...ALONE, ...options, 'busybox', 'sh', '-c', script]);
  return name;
}

async function runs(session: Session, image: string, ...command: readonly string[]): Promise<string> {
  return await session.docker.ok('run', '--rm', ...ALONE, image, ...command);
}

async function configOf(session: Session, image: string): Promise<Record<string, unknown>> {
  return JSON.parse(await session.docker.ok('image', 'inspect', '-f', '{{json .Config}}', image)) as Record<
    string,
    unknown
  >;
}

sessions('docker commit', (session) => {
  it('makes an image of what a container changed, added and removed', async () => {
    const script = 'echo new > /new; echo more >> /etc/group; rm /etc/passwd; rm -r /tmp; mkdir /tmp; ln -s new /link';
    const name = await ended(session, script);
    const id = await session.docker.ok('commit', name, `${name}:1`);
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    const look = 'cat /link; tail -n 1 /etc/group; ls /etc/passwd 2> /dev/null || echo gone; ls /tmp';
    assert.equal(await runs(session, `${name}:1`, 'sh', '-c', look), 'new\nmore\ngone');
    assert.equal(await session.docker.ok('image', 'inspect', '-f', '{{.Id}}', `${name}:1`), id);
  });

  it('can be built upon, and outlives its container', async () => {
    const first = await ended(session, 'echo 1 > /one');
    await session.docker.ok('commit', first, `${first}:1`);
    await session.docker.ok('rm', first);
    const second = session.name();
    await session.docker.ok('run', '--name', second, ...ALONE, `${first}:1`, 'sh', '-c', 'rm /one; echo 2 > /two');
    await session.docker.ok('commit', second, `${second}:1`);
    assert.equal(
      await runs(session, `${second}:1`, 'sh', '-c', 'cat /two; ls /one 2> /dev/null || echo gone'),
      '2\ngone',
    );
    assert.equal(await runs(session, `${first}:1`, 'cat', '/one'), '1');
    const layers = await session.docker.ok('image', 'inspect', '-f', '{{len .RootFS.Layers}}', `${second}:1`);
    assert.equal(layers, '3');
  });

  it('takes a body that says nothing for none, as older clients send it', async () => {
    const name = await ended(session, 'true', ['--env', 'A=container']);
    for (const body of [undefined, 'null', '{}']) {
      const headers = { 'Content-Type': 'application/json' };
      const changes = encodeURIComponent('ENV B=$A');
      const target = `POST /v1.41/commit?container=${name}&repo=${name}&changes=${changes}`;
      const answer = await session.ask(target, body === undefined ? {} : { body, headers });
      assert.equal(answer.status, 201, answer.body);
      const { Env } = await configOf(session, name);
      assert.ok((Env as string[]).includes('B=container'), `${body}: ${String(Env)}`);
    }
  });

  it('remembers what an image was made of', async () => {
    const name = await ended(session, 'echo 1 > /one');
    await session.docker.ok('commit', name, `${name}:1`);
    const first = await session.docker.ok('image', 'inspect', '-f', '{{.Id}}', `${name}:1`);
    await session.docker.ok('run', '--name', `${name}b`, ...ALONE, `${name}:1`, 'sh', '-c', 'echo 2 > /two');
    await session.docker.ok('commit', `${name}b`, `${name}:2`);
    await session.docker.ok('rm', name, `${name}b`);
    const base = await session.docker.ok('image', 'inspect', '-f', '{{.Id}}', 'busybox');
    const { body } = await session.ask(`GET /v1.41/images/${name}:2/json`);
    const image = JSON.parse(body) as { readonly Parent: string; readonly ContainerConfig: Record<string, unknown> };
    assert.deepEqual([image.Parent, image.ContainerConfig['Image']], [first, `${name}:1`]);
    const ids = (await session.docker.ok('history', '-q', '--no-trunc', `${name}:2`)).split('\n');
    assert.deepEqual(ids.slice(1), [first, base]);
    // Without its name it is no image of one's own any more, and goes with the last that was made of it.
    assert.equal(await session.docker.ok('rmi', `${name}:1`), `Untagged: ${name}:1`);
    const dangling = async (...more: readonly string[]): Promise<boolean> =>
      (await session.docker.ok('images', '-q', '--no-trunc', ...more)).includes(first);
    assert.deepEqual([await dangling(), await dangling('-a')], [false, true]);
    const refused = await session.docker.run(['rmi', '-f', first]);
    assert.match(refused.stderr, /\(cannot be forced\) - image has dependent child images/);
    await session.docker.ok('rmi', `${name}:2`);
    assert.equal(await dangling('-a'), false);
  });

  it('takes the container’s command and variables, and changes them as told', async () => {
    const name = await ended(session, 'true', ['--env', 'A=container', '--label', 'l=1', '--workdir', '/etc']);
    await session.docker.ok('commit', name, `${name}:same`);
    const same = await configOf(session, `${name}:same`);
    assert.deepEqual(same['Cmd'], ['sh', '-c', 'true']);
    assert.deepEqual([same['WorkingDir'], same['Labels']], ['/etc', { l: '1' }]);
    assert.ok((same['Env'] as string[]).includes('A=container'));
    const changes = ['ENV B=$A', 'CMD ["sh", "-c", "echo $A $B in $(pwd)"]', 'WORKDIR /tmp', 'LABEL m=2', 'EXPOSE 80'];
    await session.docker.ok('commit', ...changes.flatMap((change) => ['--change', change]), name, `${name}:changed`);
    assert.equal(await runs(session, `${name}:changed`), 'container container in /tmp');
    const changed = await configOf(session, `${name}:changed`);
    assert.deepEqual([changed['Labels'], changed['ExposedPorts']], [{ l: '1', m: '2' }, { '80/tcp': {} }]);
    await session.docker.ok('commit', '--change', 'ENTRYPOINT ["echo", "entry"]', name, `${name}:entry`);
    assert.equal(await runs(session, `${name}:entry`), 'entry');
    const { exitCode, stderr } = await session.docker.run(['commit', '--change', 'RUN x', name]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /run is not a valid change command/i);
  });

  it('keeps author, message and the step in its history', async () => {
    const name = await ended(session, 'echo x > /x');
    await session.docker.ok('commit', '--author', 'somebody', '--message', 'a step', name, `${name}:1`);
    const format = '{{.Author}}|{{.Comment}}|{{.Container}}';
    const [author, comment] = (await session.docker.ok('image', 'inspect', '-f', format, `${name}:1`)).split('|');
    assert.deepEqual([author, comment], ['somebody', 'a step']);
    const history = await session.docker.ok(
      'history',
      '--no-trunc',
      '--format',
      '{{.CreatedBy}}|{{.Comment}}|{{.Size}}',
      `${name}:1`,
    );
    const [newest, ...older] = history.split('\n');
    assert.equal(newest, 'sh -c echo x > /x|a step|2B');
    assert.equal(older.length, 1);
  });

  it('adds no layer when nothing was changed', async () => {
    const name = await ended(session, 'true');
    await session.docker.ok('commit', name, `${name}:1`);
    const layers = (image: string): Promise<string> =>
      session.docker.ok('image', 'inspect', '-f', '{{json .RootFS.Layers}}', image);
    assert.equal(await layers(`${name}:1`), await layers('busybox'));
    assert.equal(await runs(session, `${name}:1`, 'echo', 'runs'), 'runs');
  });

  it('freezes a running container meanwhile, unless told not to, and lets it go on', async () => {
    const script = 'i=0; while :; do i=$((i+1)); echo $i > /count; done';
    const name = await session.background(ALONE, ['sh', '-c', script]);
    const since = String(Math.floor(Date.now() / 1000) - 1);
    await session.docker.ok('commit', name, `${name}:1`);
    await session.docker.ok('commit', '--pause=false', name, `${name}:2`);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    assert.match(await runs(session, `${name}:1`, 'cat', '/count'), /^\d*$/);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const filters = ['--filter', `container=${name}`, '--since', since, '--until', until];
    const events = await session.docker.ok('events', ...filters, '--format', '{{.Action}}');
    const about = events.split('\n').filter((action) => /pause|commit/.test(action));
    // Docker keeps it frozen until the image is made; its files are read long before.
    const expected = {
      fairlead: ['pause', 'unpause', 'commit', 'commit'],
      dockerd: ['pause', 'commit', 'unpause', 'commit'],
    };
    assert.deepEqual(about, session.differs(expected));
  });

  it('leaves a paused container paused', async () => {
    const name = await session.background(ALONE);
    await session.docker.ok('pause', name);
    await session.docker.ok('commit', name, `${name}:1`);
    assert.equal(await session.inspect(name, '{{.State.Status}}'), 'paused');
  });

  it('announces the image and its name', async () => {
    const name = await ended(session, 'true');
    const since = String(Math.floor(Date.now() / 1000) - 1);
    const id = await session.docker.ok('commit', '-m', 'words', name, `${name}:1`);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const filters = ['--filter', `container=${name}`, '--filter', 'event=commit', '--since', since, '--until', until];
    const line = await session.docker.ok('events', ...filters, '--format', '{{json .Actor.Attributes}}');
    const attributes = JSON.parse(line) as Record<string, string>;
    assert.deepEqual(
      [attributes['comment'], attributes['imageID'], attributes['imageRef']],
      ['words', id, `${name}:1`],
    );
  });

  it('works without a name, by the API with a config, and refuses what is none', async () => {
    const name = await ended(session, 'true');
    const unnamed = await session.ask(`POST /commit?container=${name}`);
    assert.equal(unnamed.status, 201);
    assert.match(unnamed.body, /^\{"Id":"sha256:[0-9a-f]{64}"\}\n$/);
    const json = { Cmd: ['echo', 'of the body'], Env: ['X=1'] };
    const asked = await session.ask(`POST /commit?container=${name}&repo=${name}&tag=body&pause=0`, { json });
    assert.equal(asked.status, 201);
    assert.equal(await runs(session, `${name}:body`), 'of the body');
    assert.deepEqual((await configOf(session, `${name}:body`))['Env'], [
      'X=1',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
    assert.equal((await session.ask('POST /commit?container=nobody')).status, 404);
    const badName = await session.ask(`POST /commit?container=${name}&repo=Upper`);
    assert.equal(badName.status, session.differs({ fairlead: 400, dockerd: 500 }));
    assert.match(badName.body, /must be lowercase/);
  });

  it('does not hold what was mounted', async () => {
    const name = await ended(session, 'echo x > /data/x; echo y > /scratch/y', ['-v', '/data', '--tmpfs', '/scratch']);
    await session.docker.ok('commit', name, `${name}:1`);
    const volumes = (await configOf(session, `${name}:1`))['Volumes'];
    assert.deepEqual(volumes, { '/data': {} });
    assert.equal(await runs(session, `${name}:1`, 'ls', '/data', '/scratch'), '/data:\n\n/scratch:');
  });
});
