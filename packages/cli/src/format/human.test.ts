import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ellipsis, goTime, secondsText } from './human.ts';

describe('goTime', () => {
  it('prints as Go does', () => assert.equal(goTime(new Date(0)), '1970-01-01 00:00:00 +0000 UTC'));
});

describe('ellipsis', () => {
  it('cuts to the width, the mark included', () => {
    assert.equal(ellipsis('"sleep 1000 and more of it"', 20), '"sleep 1000 and mor…');
    assert.equal(ellipsis('"sh"', 20), '"sh"');
  });
});

describe('secondsText', () => {
  it('has one digit behind the point', () => assert.equal(secondsText(20_049), '20.0 s'));
});
