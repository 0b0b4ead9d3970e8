import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FAIRLEAD_ALONE, sessions } from '../sessions.ts';

/** The private dockerd of the tests has no bridge: what is expected here is from its sources. */
sessions(
  'docker run --link',
  (session) => {
    const address = async (name: string): Promise<string> =>
      await session.inspect(name, '{{.NetworkSettings.IPAddress}}');

    it('tells the other’s address by its alias, name and host name, and in the environment', async () => {
      const db = await session.background(['--hostname', 'dbhost', '--expose', '5432', '-e', 'MODE=fast']);
      const web = await session.background(['--link', `${db}:data`, '--link', db]);
      const hosts = await session.docker.ok('exec', web, 'cat', '/etc/hosts');
      const ip = await address(db);
      assert.ok(hosts.includes(`${ip}\tdata dbhost ${db}\n${ip}\t${db} dbhost`), hosts);
      const environment = (await session.docker.ok('exec', web, 'env')).split('\n');
      for (const entry of [
        `DATA_PORT=tcp://${ip}:5432`,
        `DATA_PORT_5432_TCP_ADDR=${ip}`,
        `DATA_NAME=/${web}/data`,
        'DATA_ENV_MODE=fast',
      ]) {
        assert.ok(environment.includes(entry), entry);
      }
      assert.equal(
        await session.docker.ok('exec', web, 'ping', '-c', '1', '-W', '9', 'data').then(() => 'reached'),
        'reached',
      );
      const links = JSON.parse(await session.inspect(web, '{{json .HostConfig.Links}}')) as readonly string[];
      assert.deepEqual(links.toSorted(), [`/${db}:/${web}/data`, `/${db}:/${web}/${db}`].toSorted());
      const names = await session.docker.ok('ps', '--filter', `name=^${db}$`, '--no-trunc', '--format', '{{.Names}}');
      assert.equal(names, [db, ...[`${web}/data`, `${web}/${db}`].toSorted()].join(','));
      assert.equal(await session.docker.ok('ps', '--filter', `name=^${web}/data$`, '--format', '{{.Names}}'), db);
    });

    it('follows the other through a rename and to another address', async () => {
      const db = await session.background();
      const web = await session.background(['--link', `${db}:data`]);
      await session.docker.ok('rename', db, `${db}-new`);
      assert.equal(await session.inspect(web, '{{json .HostConfig.Links}}'), `["/${db}-new:/${web}/data"]`);
      const before = await address(`${db}-new`);
      await session.docker.ok('stop', '-t', '0', `${db}-new`);
      await session.background();
      await session.docker.ok('start', `${db}-new`);
      const after = await address(`${db}-new`);
      const hosts = await session.docker.ok('exec', web, 'cat', '/etc/hosts');
      assert.match(hosts, new RegExp(`^${after.replaceAll('.', '\\.')}\tdata `, 'm'), `${before} → ${after}\n${hosts}`);
      assert.equal(hosts.split('\n').filter((line) => line.includes('\tdata ')).length, 1);
    });

    it('reaches one that shares the network of one that shares another’s', async () => {
      const db = await session.background();
      const [near, far] = [await session.background(['--network', `container:${db}`]), session.name()];
      await session.docker.ok('run', '-d', '--name', far, '--network', `container:${near}`, 'busybox', 'sleep', '1000');
      const web = await session.background(['--link', `${far}:data`]);
      assert.match(
        await session.docker.ok('exec', web, 'cat', '/etc/hosts'),
        new RegExp(`${await address(db)}\tdata `),
      );
    });

    it('does not start while the other does not run', async () => {
      const db = session.name();
      await session.docker.ok('create', '--name', db, 'busybox', 'true');
      const web = session.name();
      const { exitCode, stderr } = await session.docker.run(['run', '--name', web, '--link', `${db}:data`, 'busybox']);
      assert.equal(exitCode, 125);
      assert.match(stderr, new RegExp(`Cannot link to a non running container: /${db} AS /${web}/data`));
    });

    it('refuses what cannot be linked', async () => {
      const onHost = await session.background(['--network', 'host']);
      for (const [link, words] of [
        ['nosuch:x', /^could not get container for nosuch: No such container: nosuch$/],
        ['a:b:c', /^bad format for links: a:b:c$/],
        [`${onHost}:x`, /^conflicting options: host type networking can't be used with links/],
      ] as const) {
        const { status, body } = await session.ask('POST /v1.41/containers/create', {
          json: { Image: 'busybox', HostConfig: { Links: [link] } },
        });
        assert.equal(status, 400);
        assert.match((JSON.parse(body) as { readonly message: string }).message, words);
      }
    });

    it('rm --link takes the link away and leaves both containers', async () => {
      const db = await session.background(['--hostname', 'dbhost']);
      const web = await session.background(['--link', `${db}:data`, '--link', `${db}:other`]);
      assert.equal(await session.docker.ok('rm', '--link', `${web}/data`), `${web}/data`);
      assert.equal(await session.inspect(web, '{{json .HostConfig.Links}}'), `["/${db}:/${web}/other"]`);
      const hosts = await session.docker.ok('exec', web, 'cat', '/etc/hosts');
      assert.ok(!hosts.includes('\tdata ') && hosts.includes('\tother dbhost '), hosts);
      assert.equal(await session.inspect(db, '{{.State.Status}}'), 'running');
      const { stderr } = await session.docker.run(['rm', '--link', `${web}/data`]);
      assert.match(stderr, new RegExp(`No such container: ${web}/data`));
    });

    it('of a container that is gone is none', async () => {
      const db = await session.background();
      const web = await session.background(['--link', `${db}:data`]);
      await session.docker.ok('rm', '-f', db);
      await session.docker.ok('restart', '-t', '0', web);
      assert.equal(await session.inspect(web, '{{json .HostConfig.Links}}'), 'null');
    });
  },
  { kinds: FAIRLEAD_ALONE },
);
