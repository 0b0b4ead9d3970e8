import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { absoluteOptions, fitsIntoPage, LAYERS_MAX, relativeOptions, type OverlayStack } from './mount-options.ts';

function stackOf(count: number, layers: string): OverlayStack {
  const lower = Array.from({ length: count }, (_, index) => `${index.toString(36).padStart(6, '0')}/diff`);
  return { layers, lower, upper: '/c/upper', work: '/c/work', features: ['index=off'] };
}

describe('absoluteOptions', () => {
  it('names the topmost layer first', () => {
    assert.equal(
      absoluteOptions(stackOf(2, '/r')),
      'lowerdir=/r/000000/diff:/r/000001/diff,upperdir=/c/upper,workdir=/c/work,index=off',
    );
  });

  it('keeps commas and colons of a path from ending it', () => {
    assert.match(
      absoluteOptions({ ...stackOf(1, '/a:b,c'), upper: '/u,p:q' }),
      /^lowerdir=\/a\\:b\\,c\/000000\/diff,upperdir=\/u\\,p:q,/,
    );
  });

  it('fits into a page for 100 layers under the default root', () => {
    assert.ok(fitsIntoPage(absoluteOptions(stackOf(100, '/var/lib/fairlead/layers'))));
  });
});

describe('relativeOptions', () => {
  it('fits into a page for as many layers as there can be, under a long root', () => {
    const root = `/${'long-directory-name/'.repeat(20)}`;
    assert.equal(fitsIntoPage(absoluteOptions(stackOf(LAYERS_MAX + 1, root))), false);
    assert.ok(
      fitsIntoPage(relativeOptions({ ...stackOf(LAYERS_MAX + 1, root), upper: `${root}upper`, work: `${root}work` })),
    );
  });
});
