import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { contextName, engineEndpoint } from '@fairlead/client';
import { makeCertificates } from '@fairlead/testkit';
import { DOCKER_PROGRAM } from '../docker-cli.ts';
import { FairleadCli } from '../fairlead-cli.ts';
import { makeHome, removeHome, type PrivateHome } from '../private-home.ts';
import { type CommandResult, RunningCommand } from '../running-command.ts';

/** Contexts that Docker's own CLI has made, and what it makes of flags and environment. */
describe('engineEndpoint', () => {
  let home: PrivateHome;
  let config: string;
  let certificates: string;

  const docker = async (
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<CommandResult> => {
    const base = { PATH: process.env['PATH'] ?? '', DOCKER_CONFIG: config, HOME: home.directory };
    await using command = new RunningCommand({ program: DOCKER_PROGRAM, args, env: { ...base, ...env } });
    command.endInput();
    return await command.result();
  };
  const create = async (name: string, endpoint: string): Promise<void> => {
    const { exitCode, stderr } = await docker(['context', 'create', name, '--docker', endpoint]);
    assert.equal(exitCode, 0, stderr);
  };
  const env = (more: Readonly<Record<string, string>> = {}) => ({
    DOCKER_CONFIG: config,
    HOME: home.directory,
    ...more,
  });

  before(async () => {
    home = await makeHome();
    config = join(home.directory, 'docker');
    mkdirSync(config);
    certificates = (await makeCertificates(home.directory)).client;
    const file = (name: string): string => join(certificates, `${name}.pem`);
    await create('plain', 'host=tcp://10.0.0.1:2375');
    await create('tls', `host=tcp://10.0.0.2:2376,ca=${file('ca')},cert=${file('cert')},key=${file('key')}`);
    await create('unverified', 'host=tcp://10.0.0.3:2376,skip-tls-verify=true');
    await create('far', 'host=ssh://me@far:22');
    assert.equal((await docker(['context', 'use', 'plain'])).exitCode, 0);
  });
  after(() => removeHome(home));

  it('reads what `docker context create` has written', async () => {
    const tcp = { scheme: 'tcp', secure: false } as const;
    const bytes = (name: string): Buffer => readFileSync(join(certificates, `${name}.pem`));
    assert.deepEqual(await engineEndpoint({ context: 'plain' }, env()), {
      address: { ...tcp, hostname: '10.0.0.1', port: 2375 },
      tls: undefined,
    });
    assert.deepEqual(await engineEndpoint({ context: 'tls' }, env()), {
      address: { ...tcp, hostname: '10.0.0.2', port: 2376 },
      tls: { ca: bytes('ca'), cert: bytes('cert'), key: bytes('key'), verify: true },
    });
    assert.deepEqual(await engineEndpoint({ context: 'unverified' }, env()), {
      address: { ...tcp, hostname: '10.0.0.3', port: 2376 },
      tls: { ca: undefined, cert: undefined, key: undefined, verify: false },
    });
    assert.deepEqual(await engineEndpoint({ context: 'far' }, env()), {
      address: { scheme: 'ssh', user: 'me', hostname: 'far', port: 22, path: undefined },
      tls: undefined,
    });
  });

  const choices = [
    { flags: [], variables: {} },
    { flags: [], variables: { DOCKER_CONTEXT: 'tls' } },
    { flags: [], variables: { DOCKER_HOST: 'tcp://x:1' } },
    { flags: [], variables: { DOCKER_HOST: 'tcp://x:1', DOCKER_CONTEXT: 'tls' } },
    { flags: [], variables: { DOCKER_HOST: '', DOCKER_CONTEXT: '' } },
    { flags: ['--context', 'far'], variables: { DOCKER_HOST: 'tcp://x:1', DOCKER_CONTEXT: 'tls' } },
    { flags: ['--context', 'default'], variables: { DOCKER_CONTEXT: 'tls' } },
    { flags: ['--host', 'tcp://y:1'], variables: { DOCKER_CONTEXT: 'tls' } },
  ] as const;
  for (const { flags, variables } of choices) {
    it(`chooses as docker does with ${JSON.stringify(variables)} and ${JSON.stringify(flags)}`, async () => {
      const { stdout, stderr } = await docker([...flags, 'context', 'show'], variables);
      const [flag, value] = flags;
      const choice = flag === undefined ? {} : { [flag.slice(2)]: value };
      assert.equal(await contextName(choice, env(variables)), stdout.trim(), stderr);
    });
  }

  const failures = [
    { flags: ['--context', 'nosuch'], variables: {} },
    { flags: [], variables: { DOCKER_CONTEXT: 'nosuch' } },
    { flags: ['--context', 'plain', '--host', 'unix:///x'], variables: {} },
    { flags: [], variables: { DOCKER_HOST: 'tcp://127.0.0.1:9', DOCKER_TLS_VERIFY: '1' } },
    { flags: [], variables: { DOCKER_HOST: 'ssh://me:secret@host' } },
  ] as const;
  for (const { flags, variables } of failures) {
    it(`fails in the words of docker with ${JSON.stringify(variables)} and ${JSON.stringify(flags)}`, async () => {
      const theirs = await docker([...flags, 'ps'], variables);
      const ours = await new FairleadCli(undefined, env(variables)).run([...flags, 'ps']);
      assert.deepEqual(
        { exitCode: ours.exitCode, stderr: ours.stderr.trim() },
        { exitCode: theirs.exitCode, stderr: theirs.stderr.trim() },
      );
    });
  }

  it('ignores DOCKER_TLS_VERIFY for a context, and for a socket', async () => {
    const variables = env({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates });
    assert.equal((await engineEndpoint({ context: 'plain' }, variables)).tls, undefined);
    assert.equal((await engineEndpoint({ host: 'unix:///x' }, variables)).tls, undefined);
    assert.equal((await engineEndpoint({ host: 'tcp://x' }, variables)).tls?.verify, true);
  });

  it('looks on localhost when TLS is asked for and no address given', async () => {
    const variables = env({ DOCKER_TLS: '1', DOCKER_CERT_PATH: certificates, DOCKER_CONTEXT: 'default' });
    const { address, tls } = await engineEndpoint({}, variables);
    assert.deepEqual(address, { scheme: 'tcp', hostname: 'localhost', port: 2376, secure: false });
    assert.equal(tls?.verify, false);
  });

  it('refuses a configuration that it cannot read, for another engine may have been meant', async () => {
    const path = join(home.directory, 'broken');
    mkdirSync(path);
    writeFileSync(join(path, 'config.json'), '{bad');
    await assert.rejects(engineEndpoint({}, env({ DOCKER_CONFIG: path })), /cannot read .*config\.json/);
    rmSync(path, { recursive: true });
    assert.equal(await contextName({}, env({ DOCKER_CONFIG: path })), 'default');
  });
});
