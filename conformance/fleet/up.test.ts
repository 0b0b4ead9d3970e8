import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { EngineUnderTest } from '../engines.ts';
import { eventually } from '../eventually.ts';
import { FairleadCli } from '../fairlead-cli.ts';
import type { RunningCommand } from '../running-command.ts';

const START_WITHIN_MS = 60_000;

describe('fairlead up', { skip: process.getuid?.() !== 0 }, () => {
  const stack = new AsyncDisposableStack();
  let engine: EngineUnderTest;
  let cli: FairleadCli;
  let up: RunningCommand;
  let url = '';

  before(async () => {
    engine = stack.use(await EngineUnderTest.start('fairlead'));
    cli = new FairleadCli(engine.host, { FAIRLEAD_HUB: `unix://${engine.directory}/hub.sock` });
  });
  after(() => stack.disposeAsync());

  async function start(): Promise<void> {
    const files = ['--state-dir', join(engine.directory, 'fleet'), '--socket', join(engine.directory, 'hub.sock')];
    up = stack.use(cli.start(['up', ...files, '--name', 'here', '--listen', '127.0.0.1:0']));
    [, url = ''] = await up.says(/there: +fairlead agent --hub (\S+) --token TOKEN/, { withinMs: START_WITHIN_MS });
  }
  /** Names of the hosts that are online. */
  async function online(): Promise<string> {
    const { stdout } = await cli.run(['hosts']);
    return [...stdout.matchAll(/^(\S+) +online /gm)].map(([, name]) => name).join();
  }
  const onHere = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await cli.run(['--on', 'here', ...args]);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };

  it('is a fleet of this machine, to which another host comes by the line it says', async () => {
    await start();
    await eventually(online, 'here');
    await onHere('run', '-d', '--network', 'none', '--name', 'web', 'busybox', 'sleep', '1000');
    const token = (await cli.run(['fleet', 'token', 'create', '--name', 'there'])).stdout.trim();
    const stateDir = join(engine.directory, 'there');
    await using agent = cli.start(['agent', '--hub', url, '--token', token, '--state-dir', stateDir]);
    await eventually(online, 'here,there').catch((error: unknown) => {
      throw new Error(agent.stderr, { cause: error });
    });
    agent.signal('SIGTERM');
    assert.equal((await agent.result()).exitCode, 0);
    await eventually(online, 'here');
  });

  it('is the same fleet after kill -9, and the containers went on', async () => {
    up.signal('SIGKILL');
    await up.result();
    await start();
    await eventually(online, 'here');
    assert.equal(await onHere('exec', 'web', 'echo', 'still', 'here'), 'still here\n');
    const { stdout } = await cli.run(['hosts', '--json']);
    assert.equal(stdout.trim().split('\n').length, 2, stdout);
  });

  it('leaves on SIGTERM with everything it started, and leaves the engine its containers', async () => {
    const children = readFileSync(`/proc/${up.pid}/task/${up.pid}/children`, 'utf8').trim().split(' ');
    assert.ok(children.length > 0 && children[0] !== '', 'it has a nats-server');
    up.signal('SIGTERM');
    assert.equal((await up.result()).exitCode, 0, up.stderr);
    assert.deepEqual(
      children.filter((pid) => existsSync(`/proc/${pid}`)),
      [],
    );
    assert.match((await cli.run(['ps'])).stdout, /busybox .* web$/m);
  });
});
