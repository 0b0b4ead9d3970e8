import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Client, connect } from '@fairlead/client';
import { FleetClient } from '@fairlead/client/fleet';
import { FairleadCli } from '../fairlead-cli.ts';
import type { CommandResult } from '../running-command.ts';
import { FleetWorld } from './fleet-world.ts';

describe('fairlead fleet recording', () => {
  let world: FleetWorld;
  let fleet: FleetClient;
  let web: Client;

  before(async () => {
    world = await FleetWorld.open();
    fleet = await FleetClient.open({ hub: world.socket });
    web = await connect({ hub: world.socket, host: 'web' });
    await web.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, { name: 'shop' });
    await web.containers.start('shop');
  });
  after(async () => {
    await web.containers.remove('shop', { force: true });
    await web[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  async function recording(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
    return await new FairleadCli(undefined, { FAIRLEAD_HUB: world.socket, ...env }).run([
      'fleet',
      'recording',
      ...args,
    ]);
  }

  /** Somebody works in a terminal that is recorded, and leaves. @returns its session's id. */
  async function work(line: string): Promise<string> {
    const session = await fleet.openSession('web', {
      ...{ kind: 'exec', container: 'shop', argv: ['sh'], tty: true, size: { rows: 20, columns: 70 }, record: 'all' },
    });
    await using typist = await fleet.joinSession(session, { write: true });
    await typist.write(Buffer.from(`${line}\nexit\n`));
    for await (const item of typist.output()) assert.equal(item.kind, 'output');
    return session.sessionId;
  }

  it('lists what a host has recorded, the newest first, and gives each as it was', async () => {
    const [first, second] = [await work('echo "paid: $((6 * 7))"'), await work('echo second')];
    const listed = await recording(['ls', 'web']);
    assert.deepEqual([listed.exitCode, listed.stderr], [0, '']);
    const [heading, ...rows] = listed.stdout.trimEnd().split('\n');
    assert.match(heading ?? '', /^SESSION +STARTED +BYTES +WHOSE +COMMAND$/);
    assert.deepEqual(
      rows.map((row) => row.split(/ {2,}/)[0]),
      [second, first],
    );
    for (const row of rows) assert.match(row, / \d{4}-\d\d-\d\dT\S+ +\d+ +shop by local +sh$/);
    const { stdout, exitCode } = await recording(['cat', 'web', first]);
    assert.equal(exitCode, 0);
    const [head, ...events] = stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const { version, width, height } = head as Record<string, unknown>;
    assert.deepEqual([version, width, height], [2, 70, 20]);
    const textOf = (kind: string): string =>
      (events as [number, string, string][]).flatMap((event) => (event[1] === kind ? [event[2]] : [])).join('');
    assert.match(textOf('o'), /paid: 42/);
    assert.equal(textOf('i'), 'echo "paid: $((6 * 7))"\nexit\n');
  });

  it('says what is not there, not allowed, or not how it is asked', async () => {
    const token = await world.user('clerk', 'exec');
    const asClerk = { FAIRLEAD_HUB: world.url.href, FAIRLEAD_TOKEN: token };
    const cases: readonly (readonly [readonly string[], number, RegExp, Record<string, string>?])[] = [
      [['cat', 'web', 's_none'], 1, /no recording of session s_none/],
      [['ls', 'nowhere'], 1, /no such host: nowhere/],
      [['ls', 'web'], 1, /needs the role admin; clerk has exec/, asClerk],
      [['cat', 'web'], 125, /ls HOST, or cat HOST SESSION/],
      [['play', 'web', 's_none'], 125, /ls HOST, or cat HOST SESSION/],
    ];
    for (const [args, exitCode, words, env] of cases) {
      const told = await recording(args, env);
      assert.deepEqual([told.exitCode, told.stdout], [exitCode, ''], args.join(' '));
      assert.match(told.stderr, words);
    }
  });
});
