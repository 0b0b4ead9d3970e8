import assert from 'node:assert/strict';
import { filters, RequestFailedError } from '@fairlead/client';
import type { ClientSession, Fact } from './client-session.ts';

/** Volumes. */
export function volumeFacts(session: ClientSession, fact: Fact): void {
  fact('volumes are made, listed, inspected, removed and pruned', async () => {
    const { volumes } = session.client;
    const name = session.name();
    const made = await volumes.create({ Name: name, Labels: { a: 'b' } });
    assert.deepEqual([made.Name, made.Driver, made.Labels], [name, 'local', { a: 'b' }]);
    const { Volumes } = await volumes.list({ filters: filters({ label: 'a=b' }) });
    assert.deepEqual(
      Volumes.map((volume) => volume.Name),
      [name],
    );
    assert.equal((await volumes.inspect(name)).Mountpoint, made.Mountpoint);
    await volumes.remove(name);
    await assert.rejects(volumes.remove(name), { kind: 'not-found' });
    await volumes.remove(name, { force: true });
    await volumes.create();
    assert.equal((await volumes.prune({ filters: filters({ label: 'none' }) })).VolumesDeleted?.length ?? 0, 0);
  });
}

/** Networks. */
export function networkFacts(session: ClientSession, fact: Fact): void {
  fact('networks are listed and inspected, and one that there is not is not found', async () => {
    const { networks } = session.client;
    const all = await networks.list();
    assert.ok(all.length > 0);
    const [first] = all;
    assert.equal((await networks.inspect(first?.Id ?? '')).Id, first?.Id);
    await assert.rejects(networks.inspect('no-such'), { kind: 'not-found' });
    await assert.rejects(networks.remove('no-such'), { kind: 'not-found' });
    const pruned = await networks.prune({ filters: filters({ label: 'none' }) });
    assert.equal(pruned.NetworksDeleted?.length ?? 0, 0);
  });

  fact('networks are made and removed', async () => {
    const { networks } = session.client;
    const Name = session.name();
    const IPAM = { Config: [{ Subnet: '10.213.7.0/24', Gateway: '10.213.7.1' }] };
    const { Id } = await networks.create({ Name, Driver: 'bridge', Internal: true, IPAM, Labels: { a: 'b' } });
    const network = await networks.inspect(Name);
    assert.deepEqual([network.Id, network.IPAM.Config[0]?.Subnet, network.Internal], [Id, '10.213.7.0/24', true]);
    await assert.rejects(networks.create({ Name }), { kind: 'conflict' });
    await networks.remove(Name);
  });

  fact('containers join networks and leave them', async () => {
    const { networks, containers } = session.client;
    const Name = session.name();
    await networks.create({ Name, Internal: true });
    const container = await session.made({ HostConfig: { NetworkMode: Name } });
    await networks.disconnect(Name, container, { force: true });
    await networks.connect(Name, container, { endpoint: { Aliases: ['db'] } });
    assert.ok(Object.keys((await containers.inspect(container)).NetworkSettings.Networks).includes(Name));
  });
}

/** The engine itself. */
export function systemFacts(session: ClientSession, fact: Fact): void {
  fact('it says who it is, how much it holds, and what happens', async () => {
    const { system, volumes } = session.client;
    await system.ping();
    assert.match((await system.version()).ApiVersion, /^1\.\d+$/);
    assert.ok((await system.info()).NCPU > 0);
    const usage = await system.diskUsage();
    assert.ok((usage.Images?.length ?? 0) > 0);
    const since = BigInt(Date.now()) * 1_000_000n - 1_000_000_000n;
    await volumes.create({ Name: session.name() });
    for await (const item of system.events({ since, filters: filters({ type: 'volume' }) })) {
      assert.equal(item.kind === 'event' ? item.event.Type : '', 'volume');
      break;
    }
  });

  fact('a login that no registry knows is refused', async () => {
    const asked = session.client.system.login({ username: 'a', password: 'b' }, { registry: '127.0.0.1:1' });
    await assert.rejects(asked, RequestFailedError);
  });
}
