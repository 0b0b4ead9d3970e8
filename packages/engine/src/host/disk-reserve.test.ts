import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DiskReserve } from './disk-reserve.ts';

const RESERVE_BYTES = 256 * 1024;

/** A disk of 512 KiB. */
function disk(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', path]);
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('umount', [path]);
      rmSync(path, { recursive: true });
    },
  };
}

describe('DiskReserve', () => {
  it('keeps room that others cannot take, until it is released', () => {
    using place = disk();
    const reserve = new DiskReserve(join(place.path, 'reserve'), RESERVE_BYTES);
    assert.equal(reserve.keep(), true);
    assert.equal(statSync(join(place.path, 'reserve')).blocks * 512, RESERVE_BYTES);
    const large = (): void => writeFileSync(join(place.path, 'large'), Buffer.alloc(400_000));
    assert.throws(large, { code: 'ENOSPC' });
    assert.equal(reserve.release(), true);
    large();
    assert.equal(reserve.release(), false);
  });

  it('is not kept while there is no room, and leaves nothing of itself', () => {
    using place = disk();
    writeFileSync(join(place.path, 'large'), Buffer.alloc(400_000));
    const reserve = new DiskReserve(join(place.path, 'reserve'), RESERVE_BYTES);
    assert.equal(reserve.keep(), false);
    assert.equal(existsSync(join(place.path, 'reserve')), false);
    rmSync(join(place.path, 'large'));
    assert.equal(reserve.keep(), true);
  });

  it('is found again after a restart', () => {
    using place = disk();
    new DiskReserve(join(place.path, 'reserve'), RESERVE_BYTES).keep();
    assert.equal(new DiskReserve(join(place.path, 'reserve'), RESERVE_BYTES).release(), true);
  });
});
