import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FAIRLEAD_ALONE, sessions } from '../sessions.ts';

/** The networks that are there without anybody having made them. */
sessions('docker network', (session) => {
  it('ls and inspect show host and none', async () => {
    const listed = await session.docker.ok('network', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Scope}}');
    const rows = listed.split('\n');
    assert.ok(rows.includes('host host local') && rows.includes('none null local'), listed);
    const [host] = JSON.parse(await session.docker.ok('network', 'inspect', 'host')) as Record<string, unknown>[];
    const { Id, Created, Containers, ...rest } = host ?? {};
    assert.match(String(Id), /^[0-9a-f]{64}$/);
    assert.match(String(Created), /^20\d\d-\d\d-\d\dT/);
    assert.equal(typeof Containers, 'object');
    assert.deepEqual(rest, {
      Name: 'host',
      Scope: 'local',
      Driver: 'host',
      EnableIPv6: false,
      IPAM: { Driver: 'default', Options: null, Config: [] },
      Internal: false,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Options: {},
      Labels: {},
    });
    assert.equal(await session.docker.ok('network', 'inspect', '-f', '{{.Name}}', String(Id).slice(0, 12)), 'host');
    assert.equal(await session.docker.ok('inspect', '-f', '{{.Driver}}', 'none'), 'null');
  });

  it('inspect shows who is there, by the endpoint that the container shows', async () => {
    const name = await session.background(['--network', 'host']);
    const id = await session.inspect(name, '{{.Id}}');
    const endpoint = await session.inspect(name, '{{.NetworkSettings.Networks.host.EndpointID}}');
    assert.match(endpoint, /^[0-9a-f]{64}$/);
    const containers = JSON.parse(await session.docker.ok('network', 'inspect', '-f', '{{json .Containers}}', 'host'));
    const expected = { Name: name, EndpointID: endpoint, MacAddress: '', IPv4Address: '', IPv6Address: '' };
    assert.deepEqual((containers as Record<string, unknown>)[id], expected);
    const networkId = await session.docker.ok('network', 'inspect', '-f', '{{.Id}}', 'host');
    assert.equal(await session.inspect(name, '{{.NetworkSettings.Networks.host.NetworkID}}'), networkId);
    for (const wanted of ['host', networkId]) {
      const found = await session.docker.ok(
        'ps',
        '--filter',
        `network=${wanted}`,
        '--filter',
        `name=${name}`,
        '--format',
        '{{.Names}}',
      );
      assert.equal(found, name);
    }
  });

  it('that are not there are asked for at the start, not before', async () => {
    const name = session.name();
    await session.docker.ok('create', '--name', name, '--network', 'nosuch', 'busybox', 'true');
    const { status, body } = await session.ask(`POST /containers/${name}/start`);
    assert.deepEqual([status, JSON.parse(body)], [404, { message: 'network nosuch not found' }]);
    assert.equal(await session.inspect(name, '{{.State.Status}} {{.State.Error}}'), 'created network nosuch not found');
  });

  it('ls filters', async () => {
    const names = async (...filters: readonly string[]): Promise<string> =>
      await session.docker.ok(
        'network',
        'ls',
        '--format',
        '{{.Name}}',
        ...filters.flatMap((filter) => ['--filter', filter]),
      );
    assert.equal(await names('name=hos'), 'host');
    assert.equal(await names('driver=null'), 'none');
    assert.equal(await names('type=custom'), '');
    assert.equal(await names('dangling=true'), '');
    assert.equal(await names('label=x'), '');
    assert.equal(await names('name=host', 'driver=null'), '');
    assert.equal(await names('scope=local', 'name=none'), 'none');
    for (const [filter, words] of [
      ['bogus=1', /nvalid filter 'bogus'/],
      ['type=bogus', /invalid filter: 'type'='bogus'/],
      ['dangling=x', /invalid value for filter 'dangling', must be "true" \(or "1"\), or "false" \(or "0"\)/],
    ] as const) {
      const { exitCode, stderr } = await session.docker.run(['network', 'ls', '--filter', filter]);
      assert.equal(exitCode, 1);
      assert.match(stderr, words);
    }
  });

  it('refuses to remove, and to make again, what is there always; prunes nothing', async () => {
    const removed = await session.docker.run(['network', 'rm', 'host']);
    assert.deepEqual(
      [removed.exitCode, removed.stderr.split('\n')[0]],
      [1, 'Error response from daemon: host is a pre-defined network and cannot be removed'],
    );
    const made = await session.docker.run(['network', 'create', 'none']);
    assert.equal(made.exitCode, 1);
    assert.match(made.stderr, /operation is not permitted on predefined none network/);
    const unknown = await session.docker.run(['network', 'inspect', 'nosuch']);
    assert.equal(unknown.exitCode, 1);
    // The second is how clients before 23 say it.
    assert.match(unknown.stderr, /network nosuch not found|No such network: nosuch/);
    assert.equal(await session.docker.ok('network', 'prune', '-f'), '');
  });

  it('a container connects and disconnects, as events tell', async () => {
    const since = String(Math.floor(Date.now() / 1000) - 1);
    const name = session.name();
    const id = await session.docker.ok('create', '--name', name, '--network', 'none', 'busybox', 'true');
    await session.docker.ok('start', '-a', name);
    await session.docker.ok('rm', name);
    const until = String(Date.now() / 1000 + 1);
    const lines = await session.docker.ok(
      'events',
      '--since',
      since,
      '--until',
      until,
      '--filter',
      'type=network',
      '--format',
      '{{json .}}',
    );
    const told = lines
      .split('\n')
      .map((line) => JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> } })
      .filter(({ Actor }) => Actor.Attributes['container'] === id)
      .map(({ Action, Actor }) => [Action, Actor.Attributes]);
    const attributes = { container: id, name: 'none', type: 'null' };
    assert.deepEqual(told, [
      ['connect', attributes],
      ['disconnect', attributes],
    ]);
  });
});

sessions(
  'docker network, on the bridge',
  (session) => {
    it('inspect shows subnet, gateway and containers with their addresses', async () => {
      const name = await session.background();
      const [bridge] = JSON.parse(await session.docker.ok('network', 'inspect', 'bridge')) as readonly BridgeDocument[];
      const { IPAddress, IPPrefixLen, Gateway, MacAddress, EndpointID } = JSON.parse(
        await session.inspect(name, '{{json .NetworkSettings.Networks.bridge}}'),
      );
      assert.equal(bridge?.IPAM.Config[0]?.Gateway, Gateway);
      assert.equal(bridge?.Options['com.docker.network.bridge.default_bridge'], 'true');
      assert.deepEqual(bridge?.Containers[await session.inspect(name, '{{.Id}}')], {
        Name: name,
        EndpointID,
        MacAddress,
        IPv4Address: `${IPAddress}/${IPPrefixLen}`,
        IPv6Address: '',
      });
      await session.docker.ok('stop', '-t', '0', name);
      const left = await session.docker.ok('network', 'inspect', '-f', '{{json .Containers}}', 'bridge');
      assert.ok(!left.includes(name));
      const [network] = ['{{.NetworkSettings.IPAddress}}', '{{.NetworkSettings.Networks.bridge.IPAddress}}'];
      assert.equal(await session.inspect(name, `${network}{{.NetworkSettings.Networks.bridge.EndpointID}}`), '');
    });

    it('an interface has the address that was asked for', async () => {
      const name = await session.background(['--mac-address', '02:42:00:00:00:77']);
      const inside = await session.docker.ok('exec', name, 'cat', '/sys/class/net/eth0/address');
      const told = await session.inspect(name, '{{.NetworkSettings.MacAddress}} {{.Config.MacAddress}}');
      assert.deepEqual([inside, told], ['02:42:00:00:00:77', '02:42:00:00:00:77 02:42:00:00:00:77']);
      await session.docker.ok('restart', '-t', '0', name);
      assert.equal(await session.docker.ok('exec', name, 'cat', '/sys/class/net/eth0/address'), inside);
    });

    it('a network of one’s own is refused clearly', async () => {
      const { exitCode, stderr } = await session.docker.run(['network', 'create', 'mine']);
      assert.equal(exitCode, 1);
      assert.match(stderr, /networks of one's own are not implemented yet: "mine" \(bridge\) was not created/);
    });
  },
  { kinds: FAIRLEAD_ALONE },
);

interface BridgeDocument {
  readonly IPAM: { readonly Config: readonly { readonly Subnet: string; readonly Gateway: string }[] };
  readonly Options: Readonly<Record<string, string>>;
  readonly Containers: Readonly<Record<string, unknown>>;
}
