import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { capabilitiesOfMask, DEFAULT_CAPABILITIES, KNOWN_CAPABILITIES, resolveCapabilities } from './capabilities.ts';

const plain = { add: [], drop: [], privileged: false };

describe('resolveCapabilities', () => {
  const some = KNOWN_CAPABILITIES.filter((name) => name !== 'CAP_SYS_BOOT');
  const cases = [
    { fact: "nothing asked: Docker's 14", request: plain, expected: DEFAULT_CAPABILITIES },
    { fact: 'privileged: all there are', request: { ...plain, privileged: true }, expected: some },
    { fact: 'ALL added: all there are', request: { ...plain, add: ['all'] }, expected: some },
    {
      fact: 'ALL added, some dropped',
      request: { ...plain, add: ['ALL'], drop: ['CHOWN'] },
      expected: some.filter((name) => name !== 'CAP_CHOWN'),
    },
    { fact: 'ALL dropped', request: { ...plain, drop: ['ALL'] }, expected: [] },
    {
      fact: 'ALL dropped, one added',
      request: { ...plain, add: ['net_admin'], drop: ['ALL'] },
      expected: ['CAP_NET_ADMIN'],
    },
    {
      fact: 'added twice counts once',
      request: { ...plain, add: ['CHOWN', 'CAP_CHOWN'] },
      expected: DEFAULT_CAPABILITIES,
    },
    {
      fact: 'dropping what is not there is no mistake',
      request: { ...plain, drop: ['SYS_BOOT'] },
      expected: DEFAULT_CAPABILITIES,
    },
  ];
  for (const { fact, request, expected } of cases) {
    it(fact, () => assert.deepEqual(resolveCapabilities(request, some), expected));
  }

  it('never gives what is not available, nor anything twice', () => {
    const names = fc.subarray([...KNOWN_CAPABILITIES]);
    fc.assert(
      fc.property(names, names, fc.boolean(), (available, drop, all) => {
        const found = resolveCapabilities({ add: all ? ['ALL'] : [], drop, privileged: false }, available);
        assert.equal(new Set(found).size, found.length);
        assert.ok(found.every((name) => available.includes(name) && !drop.includes(name)));
      }),
    );
  });
});

describe('capabilitiesOfMask', () => {
  const cases = [
    { mask: '0000000000000000', expected: [] },
    { mask: '00000000a80425fb', expected: DEFAULT_CAPABILITIES },
    { mask: '000001ffffffffff', expected: KNOWN_CAPABILITIES },
    { mask: 'ffffffffffffffff', expected: KNOWN_CAPABILITIES },
  ];
  for (const { mask, expected } of cases) {
    it(`reads ${mask}`, () => assert.deepEqual(capabilitiesOfMask(mask).toSorted(), expected.toSorted()));
  }
});
