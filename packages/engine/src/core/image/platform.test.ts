import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatPlatform, isOfPlatform, parsePlatform } from './platform.ts';

const HOST = { os: 'linux', architecture: 'amd64' };

describe('parsePlatform', () => {
  const cases = [
    { text: 'linux', platform: 'linux/amd64' },
    { text: 'arm64', platform: 'linux/arm64' },
    { text: 'linux/aarch64', platform: 'linux/arm64' },
    { text: 'Linux/ARM/v7', platform: 'linux/arm/v7' },
    { text: 'windows/amd64', platform: 'windows/amd64' },
  ];
  for (const { text, platform } of cases) {
    it(`takes ${text} for ${platform}`, () => assert.equal(formatPlatform(parsePlatform(text, HOST)), platform));
  }

  it('refuses what is neither a system nor an architecture', () => {
    assert.throws(() => parsePlatform('foobar', HOST), {
      kind: 'invalid-argument',
      message: '"foobar": unknown operating system or architecture',
    });
  });

  for (const text of ['', 'linux/', 'linux/arm/v7/more', 'linux/*', 'lin ux/amd64']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parsePlatform(text, HOST), {
        kind: 'invalid-argument',
        message: / is an invalid component of |cannot parse platform/,
      });
    });
  }
});

describe('isOfPlatform', () => {
  const wanted = parsePlatform('linux/amd64', HOST);

  it('knows an architecture by its other names', () => {
    assert.ok(isOfPlatform({ os: 'linux', architecture: 'x86_64' }, wanted));
  });

  it('takes an image that names no system for one of Linux', () => {
    assert.ok(isOfPlatform({ os: '', architecture: 'amd64' }, wanted));
  });

  it('refuses another system and another architecture', () => {
    assert.equal(isOfPlatform({ os: 'windows', architecture: 'amd64' }, wanted), false);
    assert.equal(isOfPlatform({ os: 'linux', architecture: 'arm64' }, wanted), false);
  });
});
