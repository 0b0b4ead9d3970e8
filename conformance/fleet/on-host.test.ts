import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FairleadCli } from '../fairlead-cli.ts';
import type { CommandResult } from '../running-command.ts';
import { FleetWorld } from './fleet-world.ts';

describe('fairlead --on', { concurrency: 2 }, () => {
  let world: FleetWorld;

  before(async () => {
    world = await FleetWorld.open({ labels: { role: 'web' } });
  });
  after(() => world[Symbol.asyncDispose]());

  async function fairlead(...args: readonly string[]): Promise<CommandResult> {
    return await new FairleadCli(undefined, { FAIRLEAD_HUB: world.socket }).run(args);
  }

  it('runs every verb on the host it names, and keeps those that change something on record', async () => {
    const run = await fairlead('--on', 'web', 'run', '-d', '--name', 'aa', 'busybox', 'sleep', '1000');
    assert.equal(run.exitCode, 0, run.stderr);
    assert.match((await fairlead('--on', 'web', 'ps')).stdout, /busybox .* aa$/m);
    assert.equal((await fairlead('--on', 'web', 'exec', 'aa', 'echo', 'hi')).stdout, 'hi\n');
    assert.equal((await fairlead('--on', 'web', 'exec', 'aa', 'sh', '-c', 'exit 7')).exitCode, 7);
    const stopped = await fairlead('--on', 'web', 'stop', '-t', '0', 'aa');
    assert.deepEqual([stopped.stdout, stopped.exitCode], ['aa\n', 0], stopped.stderr);
    assert.equal((await fairlead('--on', 'web', 'start', 'aa')).stdout, 'aa\n');
    assert.equal((await fairlead('--on', 'web', 'rm', '-f', 'aa')).stdout, 'aa\n');
    const record = (await fairlead('operations', '--fleet')).stdout;
    for (const verb of ['stop', 'start', 'remove']) assert.match(record, new RegExp(verb));
  });

  it('tells what failed in the engine’s words', async () => {
    const failed = await fairlead('--on', 'web', 'stop', 'nosuch');
    assert.deepEqual([failed.exitCode, failed.stdout], [1, '']);
    assert.match(failed.stderr, /No such container: nosuch/);
    assert.equal((await fairlead('--on', 'web', 'rm', '-f', 'nosuch')).exitCode, 0);
  });

  it('stops listening when patience ends, and says how to go on', async () => {
    const trap = 'trap "" TERM; while :; do sleep 0.1; done';
    await fairlead('--on', 'web', 'run', '-d', '--name', 'stubborn', 'busybox', 'sh', '-c', trap);
    const gaveUp = await fairlead('--on', 'web', 'stop', '-t', '4', '--patience', '2s', 'stubborn');
    assert.equal(gaveUp.exitCode, 1);
    const [, id = ''] =
      /goes on, on host "web" \(RUNNING, grace\), and ends at the latest in [0-9.]+ s.*--follow (op_\w+)/s.exec(
        gaveUp.stderr,
      ) ?? [];
    assert.notEqual(id, '', gaveUp.stderr);
    const followed = await fairlead('fleet', 'operation', '--follow', id);
    assert.match(followed.stdout, /killed/, followed.stderr);
    await fairlead('--on', 'web', 'rm', 'stubborn');
  });

  it('runs on each host that a selector names, with the host in front of each line', async () => {
    const listed = await fairlead('--on', 'role=web', 'version', '--format', '{{.Server.Version}}');
    assert.match(listed.stdout, /^web {2}\S+\n$/, listed.stderr);
    const none = await fairlead('--on', 'role=db', 'ps');
    assert.deepEqual([none.exitCode, none.stderr], [1, 'no host fits role=db\n']);
  });
});
