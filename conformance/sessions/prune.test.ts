import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sessions } from '../sessions.ts';

interface ContainersReport {
  readonly ContainersDeleted: readonly string[] | null;
  readonly SpaceReclaimed: number;
}

/** One after the other: each is about everything that the engine has. */
sessions(
  'docker prune and docker system df',
  (session) => {
    const filters = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

    it('container prune removes what has ended or never ran, and says how much that was', async () => {
      const running = await session.background();
      const [ended, created] = [session.name(), session.name()];
      await session.docker.ok('run', '--name', ended, 'busybox', 'sh', '-c', 'head -c 5000 /dev/zero > /five');
      await session.docker.ok('create', '--name', created, 'busybox', 'true');
      const ids = await Promise.all([ended, created].map((name) => session.inspect(name, '{{.Id}}')));
      const { status, body } = await session.ask('POST /v1.41/containers/prune');
      const report = JSON.parse(body) as ContainersReport;
      assert.deepEqual([status, new Set(report.ContainersDeleted)], [200, new Set(ids)]);
      assert.ok(report.SpaceReclaimed >= 5000 && report.SpaceReclaimed < 20_000, String(report.SpaceReclaimed));
      assert.equal(await session.docker.ok('ps', '-a', '--format', '{{.Names}}'), running);
      const again = await session.ask('POST /v1.41/containers/prune');
      assert.deepEqual(JSON.parse(again.body), { ContainersDeleted: null, SpaceReclaimed: 0 });
    });

    it('container prune leaves what the filters leave', async () => {
      const [kept, gone] = [session.name(), session.name()];
      await session.docker.ok('create', '--name', kept, '-l', 'keep=1', 'busybox', 'true');
      await session.docker.ok('create', '--name', gone, '-l', 'drop=1', 'busybox', 'true');
      for (const filter of [{ until: ['1h'] }, { label: ['nosuch'] }, { label: ['drop=2'] }]) {
        const { body } = await session.ask(`POST /v1.41/containers/prune?filters=${filters(filter)}`);
        assert.equal((JSON.parse(body) as ContainersReport).ContainersDeleted, null, JSON.stringify(filter));
      }
      await session.docker.ok('container', 'prune', '-f', '--filter', 'label!=keep=1');
      const left = await session.docker.ok('ps', '-a', '--filter', 'status=created', '--format', '{{.Names}}');
      assert.equal(left, kept);
      for (const filter of [{ nosuch: ['x'] }, { until: ['soon'] }, { until: ['1h', '2h'] }]) {
        const { status } = await session.ask(`POST /v1.41/containers/prune?filters=${filters(filter)}`);
        const old = 'until' in filter ? 500 : 400;
        assert.equal(status, session.differs({ fairlead: 400, dockerd: old }), JSON.stringify(filter));
      }
    });

    it('image prune removes images without a name, with -a those without a container', async () => {
      const made = session.name();
      await session.docker.ok('create', '--name', made, 'busybox', 'true');
      await session.docker.ok('commit', made, 'pruned:1');
      const old = await session.inspect('pruned:1', '{{.Id}}');
      await session.docker.ok('commit', '-m', 'another', made, 'pruned:1');
      assert.match(await session.docker.ok('image', 'prune', '-f'), new RegExp(`deleted: ${old}`));
      assert.match(await session.docker.ok('image', 'prune', '-a', '-f'), /untagged: pruned:1\n/);
      assert.equal(await session.docker.ok('images', '--format', '{{.Repository}}'), 'busybox');
    });

    it('system prune asks for everything and is answered', async () => {
      const made = session.name();
      await session.docker.ok('create', '--name', made, 'busybox', 'true');
      const id = await session.inspect(made, '{{.Id}}');
      assert.match(await session.docker.ok('system', 'prune', '-f'), new RegExp(`Deleted Containers:\n(.*\n)*${id}\n`));
      assert.match(await session.docker.ok('network', 'prune', '-f'), /^$/);
      assert.match(await session.docker.ok('volume', 'prune', '-f'), /Total reclaimed space: 0B/);
    });

    it('system df adds it up', async () => {
      const name = session.name();
      await session.docker.ok('run', '--name', name, 'busybox', 'sh', '-c', 'head -c 5000 /dev/zero > /five');
      await session.docker.ok('volume', 'create', 'counted');
      await session.docker.ok('run', '--rm', '-v', 'counted:/v', 'busybox', 'sh', '-c', 'head -c 300 /dev/zero > /v/f');
      const table = await session.docker.ok(
        'system',
        'df',
        '--format',
        '{{.Type}}: {{.TotalCount}} {{.Active}} {{.Size}}',
      );
      const imageSize = await session.inspect('busybox', '{{.Size}}');
      const [images, containers, volumes] = table.split('\n');
      assert.match(images ?? '', /^Images: 1 1 \d/);
      assert.match(containers ?? '', /^Containers: 2 1 \d/);
      assert.equal(volumes, 'Local Volumes: 1 0 300B');
      const { body } = await session.ask('GET /v1.41/system/df');
      const usage = JSON.parse(body) as {
        readonly LayersSize: number;
        readonly Images: readonly { readonly Containers: number; readonly SharedSize: number }[];
        readonly Containers: readonly { readonly Names: readonly string[]; readonly SizeRw?: number }[];
        readonly Volumes: readonly { readonly UsageData: unknown }[];
      };
      assert.equal(usage.LayersSize, Number(imageSize));
      assert.deepEqual(
        usage.Images.map(({ Containers, SharedSize }) => [Containers, SharedSize]),
        [[2, 0]],
      );
      assert.equal(usage.Containers.find(({ Names }) => Names.includes(`/${name}`))?.SizeRw, 5000);
      assert.deepEqual(
        usage.Volumes.map(({ UsageData }) => UsageData),
        [{ RefCount: 0, Size: 300 }],
      );
      await session.docker.ok('volume', 'rm', 'counted');
    });
  },
  { atOnce: 1 },
);
