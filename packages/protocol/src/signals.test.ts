import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { assertSupportedSignal, exitCodeOfSignal, parseSignal, SIGNAL_NUMBERS, signalNameOf } from './signals.ts';

describe('parseSignal', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['TERM', 15],
    ['SIGTERM', 15],
    ['sigkill', 9],
    ['Hup', 1],
    ['9', 9],
    ['+9', 9],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['RTMIN+15', 49],
    ['RTMAX-14', 50],
    ['rtmax', 64],
    ['CLD', 17],
    ['IOT', 6],
    ['POLL', 29],
    ['65', 65],
    ['-1', -1],
  ];
  for (const [text, number] of cases) it(`reads ${text} as ${number}`, () => assert.equal(parseSignal(text), number));

  for (const text of [
    '0',
    '-0',
    'BOGUS',
    '9x',
    ' 15',
    'RTMIN+99',
    'RTMIN+16',
    'RTMAX-15',
    '',
    'SIG',
    'SIGSIGTERM',
    'constructor',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseSignal(text), { kind: 'invalid-argument', message: `invalid signal: ${text}` });
    });
  }

  it("agrees with the operating system's own names", () => {
    for (const [name, number] of Object.entries(constants.signals)) {
      if (name !== 'SIGUNUSED') assert.equal(parseSignal(name), number, name);
    }
  });
});

describe('signalNameOf', () => {
  it('is undone by parseSignal for all 64', () => {
    for (let number = 1; number <= 64; number += 1) assert.equal(parseSignal(signalNameOf(number)), number);
    assert.equal(new Set(SIGNAL_NUMBERS.values()).size, 31 + 31);
  });

  it('prefers the usual name', () => {
    assert.deepEqual([6, 17, 29, 37, 64, 32].map(signalNameOf), [
      'SIGABRT',
      'SIGCHLD',
      'SIGIO',
      'SIGRTMIN+3',
      'SIGRTMAX',
      '32',
    ]);
  });
});

describe('assertSupportedSignal', () => {
  it('accepts 1 to 64 and refuses the rest with Docker’s words', () => {
    for (const number of [1, 15, 64]) assertSupportedSignal(number);
    for (const number of [0, -1, 65, 999]) {
      const message = `the linux daemon does not support signal ${number}`;
      assert.throws(() => assertSupportedSignal(number), { kind: 'invalid-argument', message });
    }
    assert.equal(exitCodeOfSignal(9), 137);
  });
});
