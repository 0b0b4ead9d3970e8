import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameDecoder } from '@fairlead/protocol';
import { sessions } from '../sessions.ts';

const COUNTS_TO_FIVE = ['sh', '-c', 'for i in 1 2 3 4 5; do echo line $i; done'];
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /;

sessions('docker logs', (session) => {
  /** Runs to the end. */
  const ended = async (...command: readonly string[]): Promise<string> => {
    const name = session.name();
    await session.docker.run(['run', '--name', name, 'busybox', ...command]);
    return name;
  };

  it('keeps the streams apart, and every byte', async () => {
    const name = await ended('sh', '-c', 'echo out; echo err >&2; printf "no end"');
    const { exitCode, stdout, stderr } = await session.docker.run(['logs', name]);
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 0, stdout: 'out\nno end', stderr: 'err\n' });
  });

  const TAILS: readonly (readonly [tail: string, lines: string])[] = [
    ['2', 'line 4\nline 5\n'],
    ['100', 'line 1\nline 2\nline 3\nline 4\nline 5\n'],
    ['0', ''],
    ['all', 'line 1\nline 2\nline 3\nline 4\nline 5\n'],
    ['-1', 'line 1\nline 2\nline 3\nline 4\nline 5\n'],
  ];
  for (const [tail, lines] of TAILS) {
    it(`--tail ${tail} gives ${lines === '' ? 'nothing' : `${lines.split('\n').length - 1} lines`}`, async () => {
      const name = await ended(...COUNTS_TO_FIVE);
      assert.equal((await session.docker.run(['logs', '--tail', tail, name])).stdout, lines);
    });
  }

  it('-t puts the time before each line', async () => {
    const name = await ended(...COUNTS_TO_FIVE);
    const lines = (await session.docker.ok('logs', '-t', name)).split('\n');
    assert.deepEqual(
      lines.map((line) => line.replace(STAMP, '')),
      ['line 1', 'line 2', 'line 3', 'line 4', 'line 5'],
    );
    assert.ok(lines.every((line) => STAMP.test(line)));
    assert.deepEqual(lines.toSorted(), lines);
    assert.ok(Math.abs(Date.parse((lines[0] ?? '').split(' ')[0] ?? '') - Date.now()) < 60_000);
  });

  it('--since and --until cut at a time', async () => {
    const name = await ended('sh', '-c', 'echo one; sleep 1.2; echo two');
    const [first = '', second = ''] = (await session.docker.ok('logs', '-t', name))
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
    assert.equal(await session.docker.ok('logs', '--since', second, name), 'two');
    assert.equal(await session.docker.ok('logs', '--until', first, name), 'one');
    assert.equal(await session.docker.ok('logs', '--since', '1h', name), 'one\ntwo');
  });

  it('-f shows what was and what comes, and ends with the container', async () => {
    const name = await session.background(
      [],
      ['sh', '-c', 'echo before; until [ -e /go ]; do sleep 0.05; done; echo after; echo err >&2'],
    );
    await using logs = session.docker.start(['logs', '-f', name]);
    await logs.says(/before\n/);
    await session.docker.ok('exec', name, 'touch', '/go');
    const { exitCode, stdout, stderr } = await logs.result();
    assert.deepEqual({ exitCode, stdout, stderr }, { exitCode: 0, stdout: 'before\nafter\n', stderr: 'err\n' });
  });

  it('-f --tail 0 shows only what comes', async () => {
    const name = await session.background(
      [],
      ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done'],
    );
    await sleep(300);
    await using logs = session.docker.start(['logs', '-f', '--tail', '0', name]);
    const [, first] = await logs.says(/^line (\d+)\n/);
    assert.ok(Number(first) > 1);
    await logs.says(new RegExp(`line ${Number(first) + 5}\n`));
  });

  it('-f of what has ended shows it and ends', async () => {
    const name = await ended(...COUNTS_TO_FIVE);
    assert.equal((await session.docker.run(['logs', '-f', '--tail', '1', name])).stdout, 'line 5\n');
  });

  it('-f of a container that is to run again ends with its run', async () => {
    const name = await session.background(['--restart', 'always'], ['sh', '-c', 'echo run; sleep 0.3; exit 3']);
    const { status, body } = await session.ask(`GET /containers/${name}/logs?stdout=1&follow=1`);
    assert.equal(status, 200);
    assert.match(body, /run\n$/);
  });

  it('-f ends when the container is removed', async () => {
    const name = await session.background([], ['sh', '-c', 'echo here; sleep 1000']);
    await using logs = session.docker.start(['logs', '-f', name]);
    await logs.says(/here/);
    await session.docker.ok('rm', '-f', name);
    assert.equal((await logs.result()).exitCode, 0);
  });

  it('goes on after a restart', async () => {
    const name = await ended('sh', '-c', 'echo run');
    await session.docker.ok('start', '-a', name);
    assert.equal(await session.docker.ok('logs', name), 'run\nrun');
  });

  it('is empty for a container that never ran', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox');
    const { exitCode, stdout } = await session.docker.run(['logs', name]);
    assert.deepEqual([exitCode, stdout], [0, '']);
  });

  it('has what a terminal showed as one stream', async () => {
    const name = session.name();
    await session.docker.run(['run', '-t', '--name', name, 'busybox', 'sh', '-c', 'echo out; echo err >&2']);
    const { stdout, stderr } = await session.docker.run(['logs', name]);
    assert.deepEqual([stdout, stderr], ['out\r\nerr\r\n', '']);
  });

  it('gives long lines whole, in records of 16 KiB at most', async () => {
    const name = await ended('sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo; echo short');
    assert.equal((await session.docker.run(['logs', name])).stdout, `${'x'.repeat(40_000)}\nshort\n`);
    const { body } = await session.ask(`GET /v1.41/containers/${name}/logs?stdout=1`);
    const frames = new FrameDecoder().push(Buffer.from(body));
    assert.deepEqual(
      frames.map(({ bytes }) => bytes.length),
      [16_384, 16_384, 7_233, 6],
    );
  });

  it('keeps the order of 20,000 lines', async () => {
    const name = await ended('seq', '1', '20000');
    const lines = (await session.docker.ok('logs', name)).split('\n');
    assert.equal(lines.length, 20_000);
    assert.ok(lines.every((line, index) => line === String(index + 1)));
  });

  it('--details says what the log options ask for', async () => {
    const options = ['--log-opt', 'labels=tier', '--log-opt', 'env=MODE', '--log-opt', 'tag={{.Name}}'];
    const name = session.name();
    const what = ['--label', 'tier=front end', '-e', 'MODE=x', 'busybox', 'sh', '-c', 'echo one; echo two'];
    await session.docker.run(['run', '--name', name, ...options, ...what]);
    const details = `MODE=x,tag=${name},tier=front+end`;
    assert.equal(await session.docker.ok('logs', '--details', name), `${details} one\n${details} two`);
    assert.equal(await session.docker.ok('logs', name), 'one\ntwo');
    const plain = await ended('echo', 'plain');
    assert.equal((await session.docker.run(['logs', '--details', plain])).stdout, ' plain\n');
  });

  it('of the driver local are kept, too', async () => {
    const name = session.name();
    await session.docker.run(['run', '--name', name, '--log-driver', 'local', 'busybox', 'echo', 'kept']);
    assert.equal(await session.docker.ok('logs', name), 'kept');
    assert.equal(await session.inspect(name, '{{.HostConfig.LogConfig.Type}}-{{.LogPath}}'), 'local-');
  });

  it('of the driver none are shown to whoever is attached, and not kept', async () => {
    const name = session.name();
    const driver = ['--log-driver', 'none'];
    const run = await session.docker.run([
      'run',
      '--name',
      name,
      ...driver,
      'busybox',
      'sh',
      '-c',
      'echo gone; exit 3',
    ]);
    assert.deepEqual([run.exitCode, run.stdout], [3, 'gone\n']);
    const { status, body } = await session.ask(`GET /v1.41/containers/${name}/logs?stdout=1`);
    const refusal = { message: 'configured logging driver does not support reading' };
    assert.deepEqual([status, JSON.parse(body)], [501, refusal]);
    const again = await session.docker.run(['start', '-a', name]);
    assert.deepEqual([again.exitCode, again.stdout], [3, 'gone\n']);
  });

  it('are rotated under whoever follows them', async () => {
    const limits = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=3'];
    const slowly = 'i=0; while [ $i -lt 40 ]; do seq 1 100 | sed "s/^/$i /"; i=$((i+1)); usleep 50000; done';
    const name = await session.background(limits, ['sh', '-c', slowly]);
    const { stdout } = await session.docker.run(['logs', '-f', name]);
    const lines = stdout.trimEnd().split('\n');
    // The reader is never behind by more than the files that are kept, unless the machine stalls: then lines are missing, never torn.
    assert.equal(lines.at(-1), '39 100');
    assert.deepEqual(
      lines,
      lines.filter((line) => /^\d+ \d+$/.test(line)),
    );
    const kept = (await session.docker.ok('logs', name)).split('\n');
    assert.ok(kept.length < 4_000 && kept.at(-1) === '39 100', `${kept.length} lines`);
  });

  it('must be asked for a stream', async () => {
    const { status, body } = await session.ask('GET /containers/nosuch/logs');
    assert.deepEqual([status, body], [400, '{"message":"Bad parameters: you must choose at least one stream"}\n']);
  });
});
