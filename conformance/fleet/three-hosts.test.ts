import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FleetOperation } from '@fairlead/protocol/fleet';
import { makeCertificates } from '@fairlead/testkit';
import { EngineUnderTest } from '../engines.ts';
import { FairleadCli } from '../fairlead-cli.ts';
import { FleetProcesses } from './fleet-processes.ts';
import { HostNetwork } from './host-network.ts';

const HOSTS = [
  { name: 'alpha', kind: 'fairlead', labels: ['role=web', 'zone=a'] },
  { name: 'beta', kind: 'dockerd', labels: ['role=web', 'zone=b'] },
  { name: 'gamma', kind: 'fairlead', labels: ['role=db', 'zone=b'] },
] as const;

/** Three hosts that see one another over a network alone: each a network namespace with an engine and an agent, the hub behind TLS. */
describe('a fleet of three hosts', { skip: process.getuid?.() !== 0 }, () => {
  const stack = new AsyncDisposableStack();
  let network: HostNetwork;
  let processes: FleetProcesses;
  let ca: string;

  before(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'th-'));
    stack.defer(() => rmSync(directory, { recursive: true, force: true }));
    network = stack.use(HostNetwork.open(HOSTS.map(({ name }) => name)));
    const { server } = await makeCertificates(directory, [network.address]);
    ca = join(server, 'ca.pem');
    const tls = ['--tls-cert', join(server, 'cert.pem'), '--tls-key', join(server, 'key.pem')];
    processes = stack.use(await FleetProcesses.open({ listen: `${network.address}:0`, args: tls }));
    await Promise.all(
      HOSTS.map(async ({ name, kind, labels }) => {
        const within = network.within(name);
        const engine = stack.use(await EngineUnderTest.start(kind, { within }));
        await processes.addHost(name, { engine: engine.host, labels, within, hubCa: ca });
      }),
    );
  });
  after(async () => {
    await stack.disposeAsync();
    assert.deepEqual(network.left(), []);
  });

  const fairlead = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await processes.run(...args);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };
  const operation = async (id: string): Promise<FleetOperation> => (await processes.fleet.operation(id)).latest;

  it('lists who has come with a token, over TLS, to whoever has one of his own', async () => {
    const { token } = await processes.fleet.createUser({ name: 'ann', role: 'view' });
    const hub = { FAIRLEAD_HUB: processes.url.href, FAIRLEAD_TOKEN: token, FAIRLEAD_HUB_CA: ca };
    const { stdout, stderr } = await new FairleadCli(undefined, hub).run(['hosts']);
    for (const { name, labels } of HOSTS)
      assert.match(stdout, new RegExp(`^${name} +online .* ${labels.join()} `, 'm'), stderr);
    assert.equal(processes.url.protocol, 'https:');
    const stranger = await new FairleadCli(undefined, { ...hub, FAIRLEAD_HUB_CA: '' }).run(['hosts']);
    assert.notEqual(stranger.exitCode, 0);
    assert.match(stranger.stderr, /^Cannot connect to the hub at .*: its certificate is not signed by an authority/);
  });

  it('does on one host, or on those of a selector, what it is told', async () => {
    const run = ['run', '-d', '--network', 'none', '--name', 'web', 'busybox', 'sleep', '1000'];
    const made = await fairlead('--on', 'role=web', ...run);
    assert.match(made, /^alpha +[0-9a-f]{64}$/m);
    assert.match(made, /^beta +[0-9a-f]{64}$/m);
    assert.equal(await fairlead('--on', 'beta', 'exec', 'web', 'echo', 'from', 'beta'), 'from beta\n');
    assert.doesNotMatch(await fairlead('--on', 'gamma', 'ps'), /busybox/);
  });

  it('restarts host by host: the second is asked when the first has ended', async () => {
    const restarted = await fairlead(
      'fleet',
      'run',
      '--on',
      'role=web',
      '--batch',
      '1',
      '--',
      'restart',
      '-t',
      '0',
      'web',
    );
    assert.match(restarted, /^alpha +SUCCEEDED .*\nbeta +SUCCEEDED .*\n$/);
    const asked = await processes.fleet.operations({ container: 'web' });
    const [second, first] = asked.filter(({ command }) => command.verb === 'restart');
    assert.deepEqual([first?.hostName, second?.hostName], ['alpha', 'beta']);
    const endedAt = Date.parse(first?.endedAt ?? '');
    assert.ok(Date.parse(second?.submittedAt ?? '') >= endedAt);
  });

  it('keeps a command for a host whose cable is pulled until its start-by time, and no longer', async () => {
    const { fleet } = processes;
    network.cut('alpha');
    const start = (startByMs: number): Promise<{ readonly id: string }> =>
      fleet.submit({
        host: 'alpha',
        command: { verb: 'stop', container: 'web', graceMs: 0 },
        mode: 'queue',
        startByMs,
      });
    const live = await processes.run('fleet', 'run', '--on', 'zone=a', '--', 'stop', '-t', '0', 'web');
    assert.match(live.stdout, /^alpha +FAILED +HOST_OFFLINE/);
    const expired = (await start(500)).id;
    await processes.until('it has expired', async () => (await operation(expired)).state === 'EXPIRED');
    const queue = ['--queue', '--start-by', '10m', '--key', 'later'];
    const asked = await fairlead('fleet', 'run', '--on', 'role=web', ...queue, '--', 'restart', '-t', '0', 'web');
    assert.match(asked, /^alpha +QUEUED +op_/m);
    const isDone = async (host: string): Promise<void> => {
      const [{ id } = { id: '' }] = await fleet.operations({ host, limit: 1 });
      await processes.until(`${host} has done it`, async () => (await operation(id)).state === 'SUCCEEDED');
    };
    await isDone('beta');
    assert.equal(await fairlead('--on', 'beta', 'exec', 'web', 'echo', 'here'), 'here\n');

    network.mend('alpha');
    await isDone('alpha');
    assert.equal(await fairlead('--on', 'alpha', 'exec', 'web', 'echo', 'back'), 'back\n');
    assert.equal((await operation(expired)).startedAt, null);
  });
});
