import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { dockerLogins, type DockerLogins } from './docker-logins.ts';
import { DOCKER_HUB, encodeRegistryAuth, encodeRegistryConfig, registryKeyOf } from './registry-login.ts';

const home = mkdtempSync(join(tmpdir(), 'logins-'));
after(() => rmSync(home, { recursive: true, force: true }));
const never = new AbortController().signal;

/** Keeps `a.example` and a token for `b.example`; waits for ever about `slow`, and fails about `broken`. */
const HELPER = `#!/bin/sh
case $1 in
  list) echo '{"a.example":"ada","b.example":"<token>"}'; exit 0 ;;
esac
read -r key
case $key in
  a.example) echo '{"ServerURL":"a.example","Username":"ada","Secret":"s3:cret"}' ;;
  b.example) echo '{"ServerURL":"b.example","Username":"<token>","Secret":"t0ken"}' ;;
  slow) exec sleep 1000 ;;
  broken) echo 'the keychain is locked'; exit 3 ;;
  chatty) exec yes ;;
  garbled) echo 'Secret: s3cret' ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`;
writeFileSync(join(home, 'docker-credential-test'), HELPER);
chmodSync(join(home, 'docker-credential-test'), 0o755);

function logins(config: object | undefined): DockerLogins {
  const directory = mkdtempSync(join(home, 'c-'));
  if (config !== undefined) writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  return dockerLogins({ DOCKER_CONFIG: directory, PATH: `${home}:${process.env['PATH']}` });
}

const auth = btoa('ada:pa:ss');

describe('dockerLogins', () => {
  const cases = [
    { what: 'none without a file', config: undefined, key: 'a.example', login: undefined },
    {
      what: 'the one in the file',
      config: { auths: { 'a.example': { auth } } },
      key: 'a.example',
      login: { username: 'ada', password: 'pa:ss' },
    },
    {
      what: 'one kept under an address',
      config: { auths: { 'https://a.example/v1/': { auth } } },
      key: 'a.example',
      login: { username: 'ada', password: 'pa:ss' },
    },
    {
      what: 'Docker Hub’s',
      config: { auths: { [DOCKER_HUB]: { auth, identitytoken: 'i' } } },
      key: registryKeyOf('busybox'),
      login: { username: 'ada', password: 'pa:ss', identityToken: 'i' },
    },
    {
      what: 'the one of a helper for this registry',
      config: { auths: { 'a.example': {} }, credHelpers: { 'a.example': 'test' } },
      key: 'a.example',
      login: { username: 'ada', password: 's3:cret' },
    },
    { what: 'a token', config: { credsStore: 'test' }, key: 'b.example', login: { identityToken: 't0ken' } },
    { what: 'none where the helper has none', config: { credsStore: 'test' }, key: 'c.example', login: undefined },
  ];
  for (const { what, config, key, login } of cases) {
    it(`finds ${what}`, async () => {
      const found = await logins(config).get(key, never);
      assert.deepEqual(found === undefined ? undefined : JSON.parse(JSON.stringify(found)), login);
    });
  }

  it('finds all, the file’s and the helpers’', async () => {
    const found = await logins({ auths: { 'd.example': { auth } }, credsStore: 'test' }).all(never);
    assert.deepEqual([...found.keys()].sort(), ['a.example', 'b.example', 'd.example']);
  });

  const failures = [
    { key: 'broken', helper: 'test', words: /docker-credential-test: exit status 3, out: `the keychain is locked`$/ },
    { key: 'chatty', helper: 'test', words: /more than \d+ bytes/ },
    { key: 'garbled', helper: 'test', words: /its answer is not JSON$/ },
    { key: 'a.example', helper: 'absent', words: /docker-credential-absent: .*ENOENT/ },
    { key: 'a.example', helper: '../sh', words: /not a name$/ },
  ];
  for (const { key, helper, words } of failures) {
    it(`says what went wrong with ${helper} for ${key}, and no secret`, async () => {
      await assert.rejects(logins({ credsStore: helper }).get(key, never), (error: Error & { kind?: string }) => {
        assert.equal(error.kind, 'unavailable');
        assert.match(error.message, words);
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /s3cret/);
        return true;
      });
    });
  }

  it('leaves a helper that does not answer, and ends it', async () => {
    const caller = new AbortController();
    const asked = logins({ credsStore: 'test' }).get('slow', caller.signal);
    setTimeout(() => caller.abort(new Error('I left')), 50);
    await assert.rejects(asked, { message: 'I left' });
  });

  it('refuses a file that it cannot read', async () => {
    const bad = logins({ auths: { 'a.example': { auth: btoa('no colon') } } });
    await assert.rejects(bad.get('a.example', never), { kind: 'invalid-argument' });
  });
});

describe('encodeRegistryAuth', () => {
  it('writes what Go reads: the alphabet of addresses, padded', () => {
    const value = encodeRegistryAuth({ username: 'ü?>', password: '~~~' }, 'a.example');
    assert.match(value, /^[\w-]+=*$/);
    assert.equal(value.length % 4, 0);
    assert.deepEqual(JSON.parse(Buffer.from(value, 'base64url').toString()), {
      username: 'ü?>',
      password: '~~~',
      serveraddress: 'a.example',
    });
    assert.equal(encodeRegistryAuth(undefined, 'a.example'), 'e30=');
  });

  it('writes every login for a build', () => {
    const value = encodeRegistryConfig(new Map([['a.example', { username: 'ada', password: 'x' }]]));
    assert.deepEqual(JSON.parse(Buffer.from(value, 'base64url').toString()), {
      'a.example': { username: 'ada', password: 'x', serveraddress: 'a.example' },
    });
  });
});
