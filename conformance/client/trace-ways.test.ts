import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOCKER_PROGRAM } from '../docker-cli.ts';
import { EngineUnderTest } from '../engines.ts';
import { FairleadCli } from '../fairlead-cli.ts';
import { freePort, PrivateSshd } from '../private-sshd.ts';
import { IGNORES_TERM } from '../programs.ts';

/** Reads its input to the end, so it needs the half-close to come through. */
const COUNTS = ['sh', '-c', 'wc -c; exit 4'];
const INPUT = 'x'.repeat(300_000);

describe('fairlead trace, whatever the way to the engine', () => {
  let engine: EngineUnderTest;
  let address: string;
  before(async () => {
    address = `tcp://127.0.0.1:${await freePort()}`;
    engine = await EngineUnderTest.start('fairlead', { args: ['--host', address] });
    await engine.docker.ok('run', '-d', '--name', 'web', 'busybox', ...IGNORES_TERM);
  });
  after(() => engine[Symbol.asyncDispose]());

  it('lets input, its end, output and exit code through over TCP', async () => {
    const traced = ['trace', '-H', address, '--', DOCKER_PROGRAM, 'exec', '-i', 'web', ...COUNTS];
    const { stdout, stderr, exitCode } = await new FairleadCli(undefined, { HOME: engine.directory }).run(
      traced,
      INPUT,
    );
    assert.deepEqual([stdout.trim(), exitCode], ['300000', 4], stderr);
    assert.match(stderr, /→ the client half-closes first \(FIN\).*\n(.*\n)*.*← the engine sends FIN/);
    assert.match(stderr, /Nothing wrong/);
  });

  it('lets them through over ssh', async () => {
    await using sshd = await PrivateSshd.start(join(engine.directory, 'sshd'));
    const directory = join(engine.directory, 'bin');
    mkdirSync(directory);
    writeFileSync(join(directory, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${sshd.clientConfig} "$@"\n`);
    chmodSync(join(directory, 'ssh'), 0o755);
    const host = `ssh://${sshd.user}@127.0.0.1:${sshd.port}${engine.socketPath}`;
    const cli = new FairleadCli(undefined, { HOME: engine.directory, PATH: `${directory}:${process.env['PATH']}` });
    const { stdout, stderr, exitCode } = await cli.run(
      ['trace', '-H', host, '--', DOCKER_PROGRAM, 'exec', '-i', 'web', ...COUNTS],
      INPUT,
    );
    assert.deepEqual([stdout.trim(), exitCode], ['300000', 4], stderr);
    // Docker's client pings with little patience; making a way over ssh may take longer.
    assert.match(stderr, /Nothing wrong/);
  });

  it('sees a client that hangs up over TCP', async () => {
    const port = await freePort();
    const report = join(engine.directory, 'report');
    await using listening = new FairleadCli(undefined).start([
      'trace',
      '-H',
      address,
      '--listen',
      `tcp://127.0.0.1:${port}`,
      '-o',
      report,
    ]);
    await listening.says(/leads to/, { stream: 'stderr' });
    const client = connect({ host: '127.0.0.1', port });
    client.write('POST /containers/web/stop?t=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    setTimeout(() => client.destroy(), 500);
    await engine.docker.ok('wait', 'web');
    while (!readFileSync(report, 'utf8').includes('✗')) await sleep(50);
    listening.signal('SIGINT');
    assert.equal((await listening.result()).exitCode, 0);
    const text = readFileSync(report, 'utf8');
    assert.match(
      text,
      /→ the client sends FIN first: it sends no more, 0\.\d\d s after POST \/containers\/web\/stop\?t=1, which has no answer/,
    );
    assert.match(text, /✗ The client hung up first, after 0\.\d\d s on `POST \/containers\/web\/stop\?t=1`/);
    assert.match(text, /"web" stopped .*: exit 137, killed/);
  });
});
