import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from '@fairlead/client';
import { type Certificates, makeCertificates } from '@fairlead/testkit';
import { EngineUnderTest } from '../engines.ts';
import { makeHome, removeHome } from '../private-home.ts';
import { freePort } from '../private-sshd.ts';
import { ENV, refusalOf, runWeb, useEverything } from './use-everything.ts';

describe('connect, over TLS to dockerd', { concurrency: true }, () => {
  const stack = new AsyncDisposableStack();
  let engine: EngineUnderTest;
  let certificates: Certificates;
  let host: string;

  before(async () => {
    const home = await makeHome();
    stack.defer(() => removeHome(home));
    certificates = await makeCertificates(home.directory);
    const file = (name: string) => join(certificates.server, name);
    const port = await freePort();
    host = `tcp://127.0.0.1:${port}`;
    const tls = [`--tlscacert=${file('ca.pem')}`, `--tlscert=${file('cert.pem')}`, `--tlskey=${file('key.pem')}`];
    engine = await EngineUnderTest.start('dockerd', { args: ['--host', host, '--tlsverify', ...tls] });
    stack.use(engine);
    await runWeb(engine);
  });
  after(() => stack.disposeAsync());

  it('does everything over TLS with certificates on both sides', async () => {
    await using client = await connect({ host, tls: { certPath: certificates.client }, env: ENV });
    await useEverything(client);
  });

  it('takes certificates from where DOCKER_CERT_PATH says', async () => {
    const env = { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: certificates.client };
    await using client = await connect({ env });
    await client.system.ping();
    await using secure = await connect({
      env: { ...env, DOCKER_HOST: host.replace('tcp', 'https'), DOCKER_TLS_VERIFY: '' },
    });
    await secure.system.ping();
  });

  it('takes an engine of another authority only when it is told not to verify', async () => {
    const { message } = await refusalOf({ host, tls: { certPath: certificates.stranger } });
    assert.match(message, /^Cannot connect .*not signed by an authority that is trusted here/);
    const env = { DOCKER_HOST: host, DOCKER_TLS: '1', DOCKER_CERT_PATH: certificates.client };
    await using client = await connect({ env });
    await client.system.ping();
  });

  it('says that the engine wants a certificate, or another one', async () => {
    const ca = readFileSync(join(certificates.client, 'ca.pem'));
    assert.match((await refusalOf({ host, tls: { ca } })).message, /^Cannot connect .*certificate/);
    const insecure = { certPath: certificates.stranger, verify: false };
    assert.match((await refusalOf({ host, tls: insecure })).message, /^Cannot connect .*cert\.pem/);
  });

  it('says that an engine with TLS does not understand plain HTTP', async () => {
    await using client = await connect({ host, env: ENV });
    await assert.rejects(
      client.system.version(),
      /answers a ping with 400, "Client sent an HTTP request to an HTTPS server/,
    );
  });
});
