import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseCounters,
  parseHostCpu,
  parseInterfaces,
  parseLegacyBlockIo,
  parseNumber,
  parseUnifiedBlockIo,
} from './kernel-text.ts';

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   14705     157    0    0    0     0          0         0    14705     157    0    0    0     0       0          0
  eth0: 1306387529   32817    1    2    0     0          0         9  2133052   21507    3    4    0     0       0          0
eth1:7 6 5 4 3 2 1 0 17 16 15 14 13 12 11 10
`;

describe('parseCounters', () => {
  it('reads every line of a name and a number, exactly', () => {
    assert.deepEqual(
      [...parseCounters('cache 1\nhierarchical_memory_limit 9223372036854771712\nodd line here\n\n')],
      [
        ['cache', 1n],
        ['hierarchical_memory_limit', 9_223_372_036_854_771_712n],
      ],
    );
  });
});

describe('parseNumber', () => {
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    ['5\n', 5],
    ['max\n', Infinity],
    [undefined, undefined],
  ];
  for (const [text, expected] of cases) it(`${text} is ${expected}`, () => assert.equal(parseNumber(text), expected));
});

describe('parseHostCpu', () => {
  it('adds up what counts, idle time too, and counts CPUs', () => {
    const text =
      'cpu  1 2 3 4 5 6 7 100 100 100\ncpu0 1 2 3 4 5 6 7 100 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 9\ncpu9 1\n';
    assert.deepEqual(parseHostCpu(text), { hostNanos: 280_000_000, onlineCpus: 2 });
  });
});

describe('parseInterfaces', () => {
  it('has all but the loopback, also where the number touches the name', () => {
    assert.deepEqual(parseInterfaces(NET_DEV), [
      {
        name: 'eth0',
        received: { bytes: 1_306_387_529, packets: 32_817, errors: 1, dropped: 2 },
        sent: { bytes: 2_133_052, packets: 21_507, errors: 3, dropped: 4 },
      },
      {
        name: 'eth1',
        received: { bytes: 7, packets: 6, errors: 5, dropped: 4 },
        sent: { bytes: 17, packets: 16, errors: 15, dropped: 14 },
      },
    ]);
  });
});

describe('block devices', () => {
  it('are read from cgroup v1 without the sums', () => {
    assert.deepEqual(parseLegacyBlockIo('8:0 Read 4096\n8:0 Write 1\nTotal 4097\n'), [
      { major: 8, minor: 0, operation: 'read', count: 4096 },
      { major: 8, minor: 0, operation: 'write', count: 1 },
    ]);
  });

  it('are read from cgroup v2', () => {
    assert.deepEqual(parseUnifiedBlockIo('254:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n7:1 \n'), [
      { major: 254, minor: 0, operation: 'read', count: 10 },
      { major: 254, minor: 0, operation: 'write', count: 20 },
      { major: 7, minor: 1, operation: 'read', count: 0 },
      { major: 7, minor: 1, operation: 'write', count: 0 },
    ]);
  });
});
