import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodePathStat, encodePathStat } from '@fairlead/protocol';
import { archiveName, containerPath, goFileMode, pathStat } from './path-stat.ts';

describe('containerPath', () => {
  const cases = [
    { asked: '/d', path: '/d', name: 'd' },
    { asked: 'd', path: '/d', name: 'd' },
    { asked: '/d/', path: '/d/', name: 'd' },
    { asked: '/d/.', path: '/d/.', name: '.' },
    { asked: '/a//b/../c', path: '/a/c', name: 'c' },
    { asked: '../../etc/passwd', path: '/etc/passwd', name: 'passwd' },
    { asked: '/', path: '/', name: '/' },
    { asked: '.', path: '/.', name: '.' },
    { asked: '/..', path: '/', name: '/' },
  ];
  for (const { asked, path, name } of cases) {
    it(`takes ${asked} for ${path}, named ${name}`, () => {
      assert.equal(containerPath(asked), path);
      assert.equal(archiveName(path), name);
    });
  }
});

describe('goFileMode', () => {
  // As Go's os.FileMode prints them, read off dockerd.
  const cases = [
    { what: 'a file', mode: 0o100_644, go: 420 },
    { what: 'a directory', mode: 0o040_755, go: 2_147_484_141 },
    { what: 'a link', mode: 0o120_777, go: 134_218_239 },
    { what: 'a setuid file', mode: 0o104_755, go: 8_389_101 },
    { what: 'a sticky directory', mode: 0o041_777, go: 2_148_532_735 },
    { what: 'a character device', mode: 0o020_666, go: 69_206_454 },
    { what: 'a FIFO', mode: 0o010_644, go: 33_554_852 },
  ];
  for (const { what, mode, go } of cases) it(`writes ${what} as ${go}`, () => assert.equal(goFileMode(mode), go));
});

describe('pathStat', () => {
  it('survives its header', () => {
    const facts = { mode: 0o120_777, sizeBytes: 3, modifiedAtNanos: 1_700_000_000_123_456_789n, linkTarget: '/ü' };
    const stat = pathStat('/d/ünïcode', facts);
    assert.deepEqual(stat, {
      name: 'ünïcode',
      size: 3,
      mode: 134_218_239,
      mtime: '2023-11-14T22:13:20.123456789Z',
      linkTarget: '/ü',
    });
    assert.deepEqual(decodePathStat(encodePathStat(stat)), stat);
    for (const header of [undefined, '', '%%%', btoa('{}'), btoa('x')]) assert.equal(decodePathStat(header), undefined);
  });
});
