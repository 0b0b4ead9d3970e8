import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blockDevicePaths, checkBlockIo, ociBlockIo } from './block-io.ts';
import { FACTS, hostConfigWith } from './spec-request.fixture.ts';

const DISK = { Path: '/dev/disk', Rate: 1_048_576 };
const asked = hostConfigWith({
  BlkioWeight: 300,
  BlkioWeightDevice: [{ Path: '/dev/disk', Weight: 200 }],
  BlkioDeviceReadBps: [DISK],
  BlkioDeviceWriteIOps: [{ Path: '/dev/other', Rate: 30 }],
});

describe('checkBlockIo', () => {
  it('takes what the host can do', () => {
    assert.deepEqual(checkBlockIo(asked, FACTS.cgroups), { resources: {}, warnings: [] });
  });

  it('discards what it cannot do, in Docker’s words', () => {
    const { resources, warnings } = checkBlockIo(asked, { ...FACTS.cgroups, blkioWeight: false, blkioReadBps: false });
    assert.deepEqual(resources, { BlkioWeight: 0, BlkioDeviceReadBps: [] });
    assert.deepEqual(warnings, [
      'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
      'Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
    ]);
  });

  for (const BlkioWeight of [9, 1001]) {
    it(`refuses a weight of ${BlkioWeight}`, () => {
      assert.throws(() => checkBlockIo(hostConfigWith({ BlkioWeight }), FACTS.cgroups), {
        kind: 'invalid-argument',
        message: 'Range of blkio weight is from 10 to 1000',
      });
    });
  }
});

describe('blockDevicePaths', () => {
  it('names every device once', () => assert.deepEqual(blockDevicePaths(asked), ['/dev/disk', '/dev/other']));
});

describe('ociBlockIo', () => {
  it('names devices by their numbers', () => {
    const devices = new Map([
      ['/dev/disk', { major: 8, minor: 0 }],
      ['/dev/other', { major: 8, minor: 16 }],
    ]);
    assert.deepEqual(ociBlockIo(asked, devices), {
      weight: 300,
      weightDevice: [{ major: 8, minor: 0, weight: 200 }],
      throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1_048_576 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 30 }],
    });
  });

  it('is nothing without limits', () => assert.deepEqual(ociBlockIo(hostConfigWith(), new Map()), {}));
});
