import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { dockerLogins } from './docker-logins.ts';
import { forgetLogin, keepLogin } from './keep-login.ts';

const home = mkdtempSync(join(tmpdir(), 'keep-'));
after(() => rmSync(home, { recursive: true, force: true }));
const never = new AbortController().signal;
const login = { username: 'ada', password: 'pa:ss' };

/** Keeps logins as files beside itself. */
const HELPER = `#!/bin/sh
cd '${home}'
case $1 in
  store) cat > stored ;;
  get) read -r key; if [ -e stored ]; then cat stored; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  erase) rm -f stored ;;
esac
`;
writeFileSync(join(home, 'docker-credential-keep'), HELPER);
chmodSync(join(home, 'docker-credential-keep'), 0o755);

function place(config?: object): { readonly env: Readonly<Record<string, string>>; readonly file: string } {
  const directory = join(mkdtempSync(join(home, 'c-')), 'docker');
  const env = { DOCKER_CONFIG: directory, PATH: `${home}:${process.env['PATH']}` };
  const file = join(directory, 'config.json');
  if (config === undefined) return { env, file };
  const made = mkdtempSync(join(home, 'd-'));
  writeFileSync(join(made, 'config.json'), JSON.stringify(config));
  return { env: { ...env, DOCKER_CONFIG: made }, file: join(made, 'config.json') };
}

describe('keepLogin', () => {
  it('makes a file that its owner alone reads, and says where the password is', async () => {
    const { env, file } = place();
    assert.equal(await keepLogin({ env, key: 'a.example' }, login, never), file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const found = await dockerLogins(env).get('a.example', never);
    assert.deepEqual([found?.username, found?.password], ['ada', 'pa:ss']);
  });

  it('leaves the rest of the settings as they are', async () => {
    const { env, file } = place({ currentContext: 'x', auths: { 'b.example': { auth: 'Yjpi' } } });
    await keepLogin({ env, key: 'a.example' }, login, never);
    const config = JSON.parse(readFileSync(file, 'utf8')) as { currentContext: string; auths: object };
    assert.deepEqual([config.currentContext, Object.keys(config.auths)], ['x', ['b.example', 'a.example']]);
  });

  it('keeps a token instead of the password', async () => {
    const { env, file } = place();
    await keepLogin({ env, key: 'a.example' }, { ...login, identityToken: 't0ken' }, never);
    assert.equal((await dockerLogins(env).get('a.example', never))?.identityToken, 't0ken');
    assert.doesNotMatch(readFileSync(file, 'utf8'), new RegExp(btoa('ada:pa:ss')));
  });

  it('gives it to the helper, where there is one, and nothing to the file', async () => {
    const { env, file } = place({ credsStore: 'keep' });
    assert.equal(await keepLogin({ env, key: 'a.example' }, login, never), undefined);
    assert.equal((await dockerLogins(env).get('a.example', never))?.password, 'pa:ss');
    assert.doesNotMatch(readFileSync(file, 'utf8'), /ada|pa:ss/);
    assert.equal(await forgetLogin({ env, key: 'a.example' }, never), true);
    assert.equal(await dockerLogins(env).get('a.example', never), undefined);
  });
});

describe('forgetLogin', () => {
  it('takes one away, also one kept under an address, and tells when there was none', async () => {
    const { env } = place({ auths: { 'https://a.example/v1/': { auth: 'YTph' }, 'b.example': { auth: 'Yjpi' } } });
    assert.equal(await forgetLogin({ env, key: 'a.example' }, never), true);
    assert.equal(await forgetLogin({ env, key: 'a.example' }, never), false);
    assert.equal((await dockerLogins(env).get('b.example', never))?.username, 'b');
  });
});
