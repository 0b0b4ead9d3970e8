import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sessions } from '../sessions.ts';

sessions('docker events', (session) => {
  const until = (): string => String(Math.ceil(Date.now() / 1000) + 1);
  /** What happened so far to what the filters let through. */
  const past = async (...args: readonly string[]): Promise<readonly string[]> =>
    (await session.docker.ok('events', '--since', '100s', '--until', until(), ...args))
      .split('\n')
      .filter((line) => line !== '');

  it('--since … --until tells a life from its beginning to its end', async () => {
    const name = session.name();
    await session.docker.run(['run', '-l', 'k=v', '--name', name, 'busybox', 'sh', '-c', 'exit 3']);
    await session.docker.ok('rm', name);
    const actions = await past(
      '--filter',
      `container=${name}`,
      '--format',
      '{{.Action}} {{.Actor.Attributes.image}} {{.Actor.Attributes.name}} {{.Actor.Attributes.k}}',
    );
    assert.deepEqual(
      actions,
      ['create', 'attach', 'start', 'die', 'destroy'].map((action) => `${action} busybox ${name} v`),
    );
  });

  it('tells an exec from its creation to its code', async () => {
    const name = await session.background();
    await session.docker.run(['exec', name, 'sh', '-c', 'exit 4']);
    const [, , ...actions] = await past(
      '--filter',
      `container=${name}`,
      '--format',
      '{{.Action}}{{with .Actor.Attributes.exitCode}}={{.}}{{end}}',
    );
    assert.deepEqual(actions, ['exec_create: sh -c exit 4', 'exec_start: sh -c exit 4', 'exec_die=4']);
  });

  it('tells pauses and names', async () => {
    const [name, other] = [await session.background(), session.name()];
    const id = await session.inspect(name, '{{.Id}}');
    await session.docker.ok('pause', name);
    await session.docker.ok('unpause', name);
    await session.docker.ok('rename', name, other);
    const [, , ...actions] = await past(
      '--filter',
      `container=${id}`,
      '--format',
      '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.oldName}}',
    );
    assert.deepEqual(actions, [`pause ${name} <no value>`, `unpause ${name} <no value>`, `rename ${other} /${name}`]);
  });

  it('comes while it happens', async () => {
    const name = session.name();
    await using events = session.docker.start(['events', '--filter', `container=${name}`, '--format', '{{.Action}}']);
    await events.says(/^/);
    for (let started = false; !started; started = events.stdout.includes('start')) {
      await session.docker.run(['rm', '-f', name]);
      await session.docker.ok('run', '-d', '--name', name, 'busybox', 'sleep', '1000');
    }
    await session.docker.ok('kill', name);
    await events.says(/kill\ndie\n/);
  });

  it('filters by action, type and label', async () => {
    const label = `of=${session.name()}`;
    const name = await session.background(['-l', label]);
    await session.docker.ok('kill', name);
    assert.deepEqual(
      await past(
        '--filter',
        `label=${label}`,
        '--filter',
        'event=die',
        '--filter',
        'event=kill',
        '--format',
        '{{.Action}}',
      ),
      ['kill', 'die'],
    );
    assert.deepEqual(await past('--filter', `label=${label}`, '--filter', 'type=image', '--format', '{{.Action}}'), []);
  });

  it('tells what happens to images', async () => {
    const tag = `${session.name()}:1`;
    const since = String(Date.now() / 1000);
    await session.docker.ok('tag', 'busybox', tag);
    await session.docker.ok('rmi', tag);
    const format = ['--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}'];
    const events = await session.docker.ok(
      'events',
      '--since',
      since,
      '--until',
      until(),
      '--filter',
      'type=image',
      ...format,
    );
    assert.deepEqual(
      events
        .split('\n')
        .filter((line) => (line.startsWith('image tag') ? line.includes(tag) : true))
        .slice(0, 1),
      [`image tag ${tag}`],
    );
    assert.match(events, /image untag sha256:[0-9a-f]{64}/);
  });

  it('prints time, type, action and attributes', async () => {
    const name = await session.background();
    const id = await session.inspect(name, '{{.Id}}');
    const [line] = await past('--filter', `container=${name}`, '--filter', 'event=start');
    assert.match(
      line ?? '',
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{9}\\S+ container start ${id} \\(image=busybox, name=${name}\\)$`,
      ),
    );
    const [json] = await past('--filter', `container=${name}`, '--filter', 'event=start', '--format', '{{json .}}');
    const event = JSON.parse(json ?? '') as Readonly<Record<string, unknown>>;
    const { status, id: topId, from, Type, Action, Actor, scope } = event;
    assert.deepEqual(
      { status, topId, from, Type, Action, Actor, scope },
      {
        status: 'start',
        topId: id,
        from: 'busybox',
        Type: 'container',
        Action: 'start',
        Actor: { ID: id, Attributes: { image: 'busybox', name } },
        scope: 'local',
      },
    );
    assert.equal(Math.floor(Number(event['timeNano']) / 1e9), event['time']);
  });

  it('refuses a beginning after the end', async () => {
    const { exitCode, stderr } = await session.docker.run(['events', '--since', '10', '--until', '5']);
    assert.deepEqual(
      [exitCode, stderr],
      [1, 'Error response from daemon: `since` time (10) cannot be after `until` time (5)\n'],
    );
  });
});
