import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { it } from 'node:test';
import { eventually } from '../eventually.ts';
import { RawConnection } from '../raw-http.ts';
import { sessions, type Session } from '../sessions.ts';

interface Stats {
  readonly read: string;
  readonly preread: string;
  readonly name: string;
  readonly pids_stats: { readonly current?: number };
  readonly cpu_stats: { readonly system_cpu_usage?: number; readonly cpu_usage: { readonly total_usage: number } };
  readonly precpu_stats: { readonly system_cpu_usage?: number };
  readonly memory_stats: { readonly usage?: number; readonly limit?: number };
}

const MB = 1024 * 1024;
const ZERO_TIME = '0001-01-01T00:00:00Z';

async function stats(session: Session, name: string, query: string): Promise<Stats> {
  const { status, body } = await session.ask(`GET /v1.41/containers/${name}/stats?${query}`);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Stats;
}

/** Names of all fields, to the last. */
function shapeOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...shapeOf(inner).map((name) => `${key}.${name}`)]);
}

sessions('docker stats', (session) => {
  it('--no-stream says what a container uses of what it may use', async () => {
    const name = await session.background(['-m', '20m']);
    const line = await session.docker.ok('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', name);
    assert.match(line, new RegExp(`^${name} .*iB / 20MiB 1$`));
  });

  it('measures twice, a second apart, or once when asked for one shot', async () => {
    const name = await session.background([], ['sh', '-c', 'while :; do :; done']);
    const once = await stats(session, name, 'stream=0&one-shot=1');
    assert.deepEqual([once.preread, once.precpu_stats.system_cpu_usage], [ZERO_TIME, undefined]);
    const twice = await stats(session, name, 'stream=0');
    await session.docker.ok('kill', name);
    const apartMs = Date.parse(twice.read) - Date.parse(twice.preread);
    assert.ok(apartMs > 900 && apartMs < 5_000, `${apartMs} ms`);
    const [now, past] = [twice.cpu_stats.system_cpu_usage ?? 0, twice.precpu_stats.system_cpu_usage ?? 0];
    assert.ok(now > past && past > 0);
    assert.equal(twice.name, `/${name}`);
    assert.ok((twice.memory_stats.limit ?? 0) > 100 * MB && (twice.memory_stats.usage ?? 0) > 0);
    const fields = ['blkio_stats.io_service_bytes_recursive', 'cpu_stats.throttling_data.throttled_time', 'num_procs'];
    const shape = shapeOf(twice);
    for (const field of [
      ...fields,
      'memory_stats.stats.total_inactive_file',
      'cpu_stats.online_cpus',
      'storage_stats',
    ]) {
      assert.ok(shape.includes(field), field);
    }
  });

  it('is zeroes for what does not run', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox', 'true');
    const none = await stats(session, name, 'stream=0');
    assert.deepEqual([none.read, none.name, none.pids_stats, none.memory_stats], [ZERO_TIME, `/${name}`, {}, {}]);
    assert.equal(none.cpu_stats.cpu_usage.total_usage, 0);
    assert.ok(!('networks' in none));
  });

  it('streams until the container is removed', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, 'busybox', 'true');
    using connection = await RawConnection.open(session.engine.socketPath);
    await connection.request(`GET /v1.41/containers/${name}/stats`, 'Connection: close');
    assert.equal((await connection.head()).status, 200);
    assert.match(String(await connection.read()), /"name":"\/session/);
    await session.docker.ok('rm', name);
    let rest = '';
    for await (const chunk of connection.rest()) rest += chunk.toString();
    assert.match(rest, /\r\n0\r\n\r\n$|^0\r\n\r\n$/);
  });

  it('refuses a stream of one shot', async () => {
    const name = await session.background();
    const { status, body } = await session.ask(`GET /v1.41/containers/${name}/stats?one-shot=1`);
    assert.deepEqual([status, JSON.parse(body)], [400, { message: 'cannot have stream=true and one-shot=true' }]);
  });
});

/** Any block device will do: nothing is read from it. */
const DISK = '/dev/loop0';

sessions('limits, and docker update', (session) => {
  const skip = existsSync(DISK) ? false : `there is no ${DISK}`;
  it('limits of block I/O are in force for the devices that they name', { skip }, async () => {
    const limits = ['--device-read-bps', `${DISK}:1mb`, '--device-write-iops', `${DISK}:30`];
    const name = await session.background(limits);
    const id = await session.inspect(name, '{{.Id}}');
    const group = `/groups/blkio/${session.differs({ fairlead: 'fairlead', dockerd: 'docker' })}/${id}`;
    const files = ['read_bps', 'write_iops'].map((file) => `${group}/blkio.throttle.${file}_device`);
    const words = ['run', '--rm', '-v', '/sys/fs/cgroup:/groups:ro', 'busybox', 'cat', ...files];
    assert.deepEqual((await session.docker.ok(...words)).split('\n'), [`7:0 ${MB}`, '7:0 30']);
  });

  it('limits of block I/O name devices that are there', async () => {
    const { exitCode, stderr } = await session.docker.run([
      'run',
      '--rm',
      '--device-read-bps',
      '/dev/nosuch:1mb',
      'busybox',
    ]);
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /no such file or directory/);
  });
  it('changes limits while the container runs, and for its next run', async () => {
    const name = await session.background(['-m', '50m', '--memory-swap', '100m']);
    const limits = [
      '--memory',
      '40m',
      '--memory-swap',
      '60m',
      '--pids-limit',
      '33',
      '--cpu-shares',
      '77',
      '--cpus',
      '0.5',
    ];
    assert.equal(await session.docker.ok('update', ...limits, name), name);
    const read = ['cat', 'memory/memory.limit_in_bytes', 'memory/memory.memsw.limit_in_bytes', 'pids/pids.max'];
    const inGroups = async (): Promise<string> => {
      const id = await session.inspect(name, '{{.Id}}');
      const parent = session.differs({ fairlead: 'fairlead', dockerd: 'docker' });
      const files = [...read.slice(1), 'cpu/cpu.shares', 'cpu/cpu.cfs_quota_us'];
      const paths = files.map((file) => `/groups/${file.replace('/', `/${parent}/${id}/`)}`);
      const words = ['run', '--rm', '-v', '/sys/fs/cgroup:/groups:ro', 'busybox', 'cat', ...paths];
      return (await session.docker.ok(...words)).replaceAll('\n', ' ');
    };
    const expected = `${40 * MB} ${60 * MB} 33 77 50000`;
    assert.equal(await inGroups(), expected);
    await session.docker.ok('restart', '-t', '0', name);
    assert.equal(await inGroups(), expected);
    assert.equal(
      await session.inspect(name, '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}'),
      `${40 * MB} 33 77`,
    );
    await session.docker.ok('update', '--pids-limit', '-1', name);
    assert.match(await inGroups(), / max 77 /);
    assert.equal(await session.inspect(name, '{{.HostConfig.PidsLimit}}'), '0');
    const bounded = await session.background(['--cpu-quota', '20000']);
    await session.docker.ok('update', '--cpu-quota', '-1', bounded);
    assert.equal(await session.docker.ok('exec', bounded, 'cat', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us'), '-1');
  });

  it('changes what is paused', async () => {
    const name = await session.background();
    await session.docker.ok('pause', name);
    await session.docker.ok('update', '--cpu-shares', '99', name);
    await session.docker.ok('unpause', name);
    assert.equal(await session.inspect(name, '{{.HostConfig.CpuShares}}'), '99');
  });

  it('tells every change, and nothing that was refused', async () => {
    const name = await session.background();
    await session.docker.ok('update', '--restart', 'always', name);
    await session.docker.run(['update', '--memory', '1k', name]);
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const id = await session.inspect(name, '{{.Id}}');
    const past = [
      'events',
      '--since',
      '60s',
      '--until',
      until,
      '--filter',
      `container=${id}`,
      '--filter',
      'event=update',
    ];
    assert.equal(await session.docker.ok(...past, '--format', '{{.Action}}'), 'update');
    assert.equal(await session.inspect(name, '{{.HostConfig.RestartPolicy.Name}}'), 'always');
  });

  const refusals: readonly { readonly json: unknown; readonly status: number; readonly words: RegExp }[] = [
    { json: { Memory: 1000 }, status: 400, words: /^Minimum memory limit allowed is 6MB$/ },
    {
      json: { CpusetCpus: '0-99' },
      status: 400,
      words: /^Requested CPUs are not available - requested 0-99, available: /,
    },
    { json: { CpuQuota: 10 }, status: 400, words: /^CPU cfs quota can not be less than 1ms/ },
    { json: { RestartPolicy: { Name: 'bogus' } }, status: 400, words: /^invalid restart policy/ },
    {
      json: { Memory: 50 * MB },
      status: 409,
      words: /^Cannot update container [0-9a-f]{64}: Memory limit should be smaller than already set memoryswap limit/,
    },
  ];
  for (const { json, status, words } of refusals) {
    it(`refuses ${JSON.stringify(json)}`, async () => {
      const name = await session.background();
      const answer = await session.ask(`POST /v1.41/containers/${name}/update`, { json });
      assert.equal(answer.status, status);
      assert.match((JSON.parse(answer.body) as { readonly message: string }).message, words);
    });
  }

  it('gives a container that removes itself no restart policy', async () => {
    const name = await session.background(['--rm']);
    const { exitCode, stderr } = await session.docker.run(['update', '--restart', 'always', name]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /Restart policy cannot be updated because AutoRemove is enabled for the container/);
  });
});

sessions('a container that takes more memory than it may', (session) => {
  const SMALL = ['-m', '16m', '--memory-swap', '16m'] as const;
  const eventsOf = async (name: string): Promise<readonly string[]> => {
    const until = String(Math.ceil(Date.now() / 1000) + 1);
    const id = await session.inspect(name, '{{.Id}}');
    const past = [
      'events',
      '--since',
      '60s',
      '--until',
      until,
      '--filter',
      `container=${id}`,
      '--format',
      '{{.Action}}',
    ];
    return (await session.docker.ok(...past)).split('\n').filter((action) => action === 'oom' || action === 'die');
  };

  it('is killed, and everybody can see why, until it is started again', async () => {
    const name = session.name();
    const eatsOnce = '[ -e /eaten ] && exec sleep 1000; touch /eaten; exec tail /dev/zero';
    const { exitCode } = await session.docker.run(['run', '--name', name, ...SMALL, 'busybox', 'sh', '-c', eatsOnce]);
    assert.equal(exitCode, 137);
    assert.equal(await session.inspect(name, '{{.State.OOMKilled}} {{.State.ExitCode}}'), 'true 137');
    assert.deepEqual(await eventsOf(name), ['oom', 'die']);
    await session.docker.ok('start', name);
    const forgets = session.differs({ fairlead: 'false', dockerd: 'true' });
    assert.equal(await session.inspect(name, '{{.State.OOMKilled}}'), forgets);
  });

  it('says at once that a process of it was killed, while the others go on', async () => {
    const name = await session.background(SMALL, ['sh', '-c', 'tail /dev/zero; echo $?; exec sleep 1000']);
    const state = async (): Promise<string> => await session.inspect(name, '{{.State.Status}} {{.State.OOMKilled}}');
    await eventually(async () => await session.docker.ok('logs', name), '137');
    await eventually(async () => (await eventsOf(name)).join(), 'oom');
    // Docker 20.10 tells the event alone.
    assert.equal(await state(), session.differs({ fairlead: 'running true', dockerd: 'running false' }));
    await session.docker.ok('kill', name);
    assert.equal(await state(), 'exited true');
    assert.deepEqual(await eventsOf(name), ['oom', 'die']);
  });
});
