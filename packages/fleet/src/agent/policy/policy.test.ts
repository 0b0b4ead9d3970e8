import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { CommandMessage, FleetCommand } from '@fairlead/protocol/fleet';
import { judge } from './judge.ts';
import { parsePolicy } from './policy-file.ts';
import { denyGrace, denyOther, denySession, type Policy } from './policy.ts';

const actor = { name: 'alice', role: 'operate' } as const;

function message(command: FleetCommand): CommandMessage {
  return { operationId: 'op_1', command, actor, mode: 'live' };
}

function create(body: Readonly<Record<string, unknown>>): FleetCommand {
  return { verb: 'create', body: { Image: 'busybox', ...body } };
}

const stop: FleetCommand = { verb: 'stop', container: 'web' };

describe('judge', () => {
  const cases: readonly (readonly [what: string, Policy, FleetCommand, rule: keyof Policy | undefined])[] = [
    ['no policy allows everything', {}, create({ HostConfig: { Privileged: true } }), undefined],
    ['a verb that is not listed', { verbs: ['start'] }, stop, 'verbs'],
    ['a verb that is', { verbs: ['stop'] }, stop, undefined],
    ['a role that is not listed', { roles: ['admin'] }, stop, 'roles'],
    ['an actor that no pattern fits', { actors: ['bob', 'ci-*'] }, stop, 'actors'],
    ['an actor that one fits', { actors: ['al*'] }, stop, undefined],
    ['an image by its short name', { images: ['busybox:*'] }, create({}), undefined],
    ['an image by its whole name', { images: ['docker.io/library/*'] }, create({}), undefined],
    ['another image', { images: ['registry.example.org/*'] }, create({}), 'images'],
    ['another image, pulled', { images: ['registry.example.org/*'] }, { verb: 'pull', image: 'busybox' }, 'images'],
    ['privileged', { denyPrivileged: true }, create({ HostConfig: { Privileged: true } }), 'denyPrivileged'],
    [
      'privileged in other letters',
      { denyPrivileged: true },
      create({ hostconfig: { PRIVILEGED: true } }),
      'denyPrivileged',
    ],
    ['a capability', { denyPrivileged: true }, create({ HostConfig: { CapAdd: ['SYS_ADMIN'] } }), 'denyPrivileged'],
    [
      'a device',
      { denyPrivileged: true },
      create({ HostConfig: { Devices: [{ PathOnHost: '/dev/sda' }] } }),
      'denyPrivileged',
    ],
    [
      'no seccomp',
      { denyPrivileged: true },
      create({ HostConfig: { SecurityOpt: ['seccomp=unconfined'] } }),
      'denyPrivileged',
    ],
    ['nothing masked', { denyPrivileged: true }, create({ HostConfig: { MaskedPaths: [] } }), 'denyPrivileged'],
    [
      'no new privileges',
      { denyPrivileged: true },
      create({ HostConfig: { SecurityOpt: ['no-new-privileges'] } }),
      undefined,
    ],
    ['the host’s network', { hostNamespaces: [] }, create({ HostConfig: { NetworkMode: 'host' } }), 'hostNamespaces'],
    [
      'the host’s network, allowed',
      { hostNamespaces: ['network'] },
      create({ HostConfig: { NetworkMode: 'host' } }),
      undefined,
    ],
    ['the host’s pids', { hostNamespaces: ['network'] }, create({ HostConfig: { PidMode: 'host' } }), 'hostNamespaces'],
    ['a bind below a prefix', { bindPrefixes: ['/srv'] }, create({ HostConfig: { Binds: ['/srv/a:/a'] } }), undefined],
    ['a bind beside it', { bindPrefixes: ['/srv'] }, create({ HostConfig: { Binds: ['/srvx:/a'] } }), 'bindPrefixes'],
    [
      'a bind out of it',
      { bindPrefixes: ['/srv'] },
      create({ HostConfig: { Binds: ['/srv/../etc:/a'] } }),
      'bindPrefixes',
    ],
    [
      'a mount',
      { bindPrefixes: [] },
      create({ HostConfig: { Mounts: [{ Type: 'bind', Source: '/', Target: '/a' }] } }),
      'bindPrefixes',
    ],
    ['a named volume', { bindPrefixes: [] }, create({ HostConfig: { Binds: ['cache:/a'] } }), undefined],
    [
      'a volume that is a bind mount in disguise',
      { bindPrefixes: [] },
      create({
        HostConfig: {
          Mounts: [
            {
              Type: 'volume',
              Target: '/a',
              VolumeOptions: { DriverConfig: { Name: 'local', Options: { type: 'none', o: 'bind', device: '/etc' } } },
            },
          ],
        },
      }),
      'bindPrefixes',
    ],
  ];
  for (const [what, policy, command, rule] of cases) {
    it(`${what}: ${rule ?? 'allowed'}`, async () => assert.equal((await judge(policy, message(command)))?.rule, rule));
  }

  it('refuses a body that two readers could read differently', async () => {
    const twice = create({ HostConfig: { Privileged: true }, hostconfig: {} });
    await assert.rejects(judge({ denyPrivileged: true }, message(twice)), /more than one spelling/);
    const folded = create({ ['Ho\u017ftConfig']: { Privileged: true } });
    await assert.rejects(judge({ denyPrivileged: true }, message(folded)), /more than one spelling/);
  });

  it('follows symbolic links before it compares', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'fp-'));
    try {
      mkdirSync(join(directory, 'allowed'));
      symlinkSync('/etc', join(directory, 'allowed', 'link'));
      const policy = { bindPrefixes: [join(directory, 'allowed')] };
      const bind = (path: string): FleetCommand =>
        create({ HostConfig: { Binds: [`${directory}/allowed/${path}:/a`] } });
      assert.equal((await judge(policy, message(bind('new/deep'))))?.rule, undefined);
      assert.equal((await judge(policy, message(bind('link/ssl'))))?.rule, 'bindPrefixes');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('denyGrace', () => {
  it('refuses what is longer, and what has no end', () => {
    assert.equal(denyGrace({ maxGraceMs: 60_000 }, 60_000), undefined);
    assert.equal(denyGrace({ maxGraceMs: 60_000 }, 60_001)?.rule, 'maxGraceMs');
    assert.equal(denyGrace({ maxGraceMs: 60_000 }, null)?.rule, 'maxGraceMs');
    assert.equal(denyGrace({}, null), undefined);
  });
});

describe('denySession', () => {
  it('refuses what is not listed', () => {
    assert.equal(denySession({ denyPrivileged: true }, 'tunnel', actor), undefined);
    assert.equal(denySession({ sessions: ['logs'] }, 'tunnel', actor)?.rule, 'sessions');
    assert.equal(denySession({ sessions: ['logs'] }, 'logs', actor), undefined);
  });
});

describe('denyOther', () => {
  it('refuses what the fleet has no verb for where containers are limited', () => {
    assert.equal(denyOther({}, '/volumes/create'), undefined);
    assert.equal(denyOther({ maxGraceMs: 1 }, '/volumes/create'), undefined);
    assert.equal(denyOther({ bindPrefixes: [] }, '/volumes/create')?.rule, 'verbs');
    assert.equal(denyOther({ denyPrivileged: true }, '/build')?.rule, 'verbs');
  });
});

describe('parsePolicy', () => {
  it('refuses what it does not know, and says where', () => {
    assert.throws(() => parsePolicy('{"denyPriviledged": true}', 'p.json'), /p\.json cannot be used: denyPriviledged/);
    assert.throws(() => parsePolicy('{"verbs": ["exek"]}', 'p.json'), /verbs\.0/);
    assert.throws(() => parsePolicy('{"bindPrefixes": ["srv"]}', 'p.json'), /absolute path/);
    assert.throws(() => parsePolicy('{"bindPrefixes": ["/srv/../etc"]}', 'p.json'), /absolute path/);
    assert.throws(() => parsePolicy('{', 'p.json'), /not JSON/);
  });
});
