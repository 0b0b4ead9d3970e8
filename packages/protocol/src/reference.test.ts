import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { mayBeImageId, normalizeReference, parseReference, toFamiliar } from './reference.ts';

const HEX = '0123456789abcdef'.repeat(4);

describe('parseReference', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
    ['team/app', 'docker.io/team/app:latest', 'team/app:latest'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['localhost:5000/team/app:v1', 'localhost:5000/team/app:v1', 'localhost:5000/team/app:v1'],
    ['Host/app', 'Host/app:latest', 'Host/app:latest'],
    ['[::1]:5000/app', '[::1]:5000/app:latest', '[::1]:5000/app:latest'],
    ['gcr.io/a__b/c-_d'.replace('-_', '--'), 'gcr.io/a__b/c--d:latest', 'gcr.io/a__b/c--d:latest'],
    [`busybox@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
    [`busybox:1@sha256:${HEX}`, `docker.io/library/busybox:1@sha256:${HEX}`, `busybox:1@sha256:${HEX}`],
  ];
  for (const [text, canonical, familiar] of cases) {
    it(`reads ${text.slice(0, 40)}`, () => {
      assert.equal(normalizeReference(text), canonical);
      assert.equal(toFamiliar(canonical), familiar);
    });
  }

  const format = 'invalid reference format';
  const refusals: readonly (readonly [string, string])[] = [
    ['', format],
    ['a b', format],
    [':latest', format],
    ['a:', format],
    ['a/', format],
    ['/a', format],
    ['a//b', format],
    ['-a', format],
    ['a_-b', format],
    ['../x', format],
    ['host..x/a', format],
    ['a@sha256:123', format],
    [`a:${'t'.repeat(129)}`, format],
    ['Xx', `${format}: repository name (library/Xx) must be lowercase`],
    ['a.io/Xx:1', `${format}: repository name (Xx) must be lowercase`],
    [HEX, `invalid repository name (${HEX}), cannot specify 64-byte hexadecimal strings`],
    ['a'.repeat(256), 'repository name must not be more than 255 characters'],
  ];
  for (const [text, message] of refusals) {
    it(`refuses ${JSON.stringify(text.slice(0, 30))}`, () => {
      assert.throws(() => parseReference(text), { kind: 'invalid-argument', message });
    });
  }

  it('accepts a name of exactly 255 characters with its domain', () => {
    assert.equal(parseReference(`a.io/${'a'.repeat(250)}`).path.length, 250);
  });

  it('reads its own spellings back, and takes long nonsense in no time', () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}([_-][a-z0-9]{1,4}){0,2}$/);
    const text = fc
      .tuple(
        fc.constantFrom('', 'docker.io/', 'h.io/', 'localhost:1/'),
        fc.array(component, { minLength: 1, maxLength: 3 }),
      )
      .map(([domain, parts]) => domain + parts.join('/'));
    fc.assert(
      fc.property(text, (name) => {
        const canonical = normalizeReference(name);
        assert.equal(normalizeReference(canonical), canonical);
        assert.equal(normalizeReference(toFamiliar(canonical)), canonical);
      }),
    );
    const began = process.cpuUsage();
    assert.throws(() => parseReference(`${'a-'.repeat(20_000)}!`));
    assert.throws(() => parseReference(`${'a-'.repeat(20_000)}_.io/x`));
    assert.ok(process.cpuUsage(began).user < 200_000);
  });

  it('knows what may be the id of an image', () => {
    assert.deepEqual(['ab12', `sha256:${HEX}`, 'xyz', `${HEX}0`, ''].map(mayBeImageId), [
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
