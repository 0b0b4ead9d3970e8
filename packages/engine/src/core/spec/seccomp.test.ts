import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isEngineError } from '@fairlead/protocol';
import { DEFAULT_CAPABILITIES, KNOWN_CAPABILITIES } from './capabilities.ts';
import { parseSeccompProfile, SECCOMP_PROFILE_BYTES_MAX } from './seccomp-profile.ts';
import { seccompTranslator, translateSeccomp } from './seccomp.ts';

const target = { architecture: 'amd64', kernel: { major: 5, minor: 10 } };
const DEBIAN_PROFILE = '/usr/share/containers/seccomp.json';

function namesAllowed(rule: object, capabilities: readonly string[] = []): boolean {
  const text = JSON.stringify({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ALLOW', ...rule }],
  });
  return translateSeccomp(parseSeccompProfile(text), target, capabilities)?.syscalls?.length === 1;
}

describe('translateSeccomp', () => {
  const conditions = [
    { rule: {}, applies: true },
    { rule: { includes: { caps: ['CAP_A'] } }, applies: false },
    { rule: { includes: { caps: ['CAP_A'] } }, capabilities: ['CAP_A'], applies: true },
    { rule: { includes: { caps: ['CAP_A', 'CAP_B'] } }, capabilities: ['CAP_A'], applies: false },
    { rule: { excludes: { caps: ['CAP_A'] } }, capabilities: ['CAP_A'], applies: false },
    { rule: { excludes: { caps: ['CAP_A'] } }, applies: true },
    { rule: { includes: { arches: ['amd64', 'x32'] } }, applies: true },
    { rule: { includes: { arches: ['arm64'] } }, applies: false },
    { rule: { excludes: { arches: ['amd64'] } }, applies: false },
    { rule: { includes: { minKernel: '5.10' } }, applies: true },
    { rule: { includes: { minKernel: '5.11' } }, applies: false },
    { rule: { includes: { minKernel: '4.20' } }, applies: true },
    { rule: { excludes: { minKernel: '5.8' } }, applies: false },
  ];
  for (const { rule, capabilities, applies } of conditions) {
    it(`${applies ? 'keeps' : 'drops'} ${JSON.stringify(rule)} with ${JSON.stringify(capabilities ?? [])}`, () =>
      assert.equal(namesAllowed(rule, capabilities), applies));
  }

  it('has no filter where the profile says nothing', () => {
    assert.equal(translateSeccomp(parseSeccompProfile('{}'), target, []), undefined);
  });

  it('passes arguments and error numbers on', () => {
    const rule = {
      names: ['socket'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: 22,
      args: [{ index: 0, value: 16, op: 'SCMP_CMP_EQ' }],
    };
    const profile = {
      defaultAction: 'SCMP_ACT_ALLOW',
      defaultErrnoRet: 1,
      flags: ['SECCOMP_FILTER_FLAG_LOG'],
      syscalls: [rule],
    };
    assert.deepEqual(translateSeccomp(parseSeccompProfile(JSON.stringify(profile)), target, []), {
      ...profile,
      architectures: [],
    });
  });

  it('gives the same object for the same capabilities, in any order', () => {
    const translate = seccompTranslator(parseSeccompProfile('{"defaultAction":"SCMP_ACT_ALLOW"}'), target);
    assert.equal(translate(['CAP_B', 'CAP_A']), translate(['CAP_A', 'CAP_B']));
  });

  it("understands Debian's profile", { skip: !existsSync(DEBIAN_PROFILE) }, () => {
    const translate = seccompTranslator(parseSeccompProfile(readFileSync(DEBIAN_PROFILE, 'utf8')), target);
    const allows = (capabilities: readonly string[], name: string): boolean =>
      translate(capabilities)?.syscalls?.some(
        (rule) => rule.action === 'SCMP_ACT_ALLOW' && rule.names.includes(name),
      ) === true;
    assert.deepEqual(translate([])?.architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
    assert.equal(translate([])?.defaultAction, 'SCMP_ACT_ERRNO');
    assert.ok(allows(DEFAULT_CAPABILITIES, 'read'));
    assert.ok(allows(DEFAULT_CAPABILITIES, 'chroot'));
    assert.ok(!allows(DEFAULT_CAPABILITIES, 'init_module'));
    assert.ok(allows(KNOWN_CAPABILITIES, 'init_module'));
    assert.ok(!allows(KNOWN_CAPABILITIES, 'kexec_load'));
  });
});

describe('parseSeccompProfile', () => {
  const refused = [
    { text: '{', words: /^Decoding seccomp profile failed: SyntaxError/ },
    { text: '[]', words: /profile is not an object/ },
    { text: '{"syscalls":{}}', words: /syscalls is not an array/ },
    { text: '{"defaultAction":1}', words: /defaultAction is not a string/ },
    { text: '{"architectures":["A"],"archMap":[{"architecture":"A"}]}', words: /both 'architectures' and 'archMap'/ },
    { text: '{"syscalls":[{"name":"a","names":["b"]}]}', words: /both 'name' and 'names'/ },
    { text: '{"syscalls":[{"name":"a","includes":{"minKernel":"x"}}]}', words: /invalid kernel version: "x"/ },
    { text: '{"syscalls":[{"name":"a","args":[{"value":18446744073709551615}]}]}', words: /below 2\^53/ },
    { text: ' '.repeat(SECCOMP_PROFILE_BYTES_MAX + 1), words: /longer than/ },
  ];
  for (const { text, words } of refused) {
    it(`refuses ${text.slice(0, 70)}`, () =>
      assert.throws(() => parseSeccompProfile(text), { kind: 'invalid-argument', message: words }));
  }

  it('answers any JSON with a profile or an error of ours', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseSeccompProfile(text);
        } catch (error) {
          assert.ok(isEngineError(error), String(error));
        }
      }),
    );
  });
});
