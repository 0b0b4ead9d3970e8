import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EngineError, STATUS_BY_KIND, type ErrorKind } from './errors.ts';

/** Source: engine-api 1.6. */
const STATUSES: readonly (readonly [ErrorKind, number])[] = [
  ['invalid-argument', 400],
  ['unauthorized', 401],
  ['forbidden', 403],
  ['not-found', 404],
  ['conflict', 409],
  ['not-modified', 304],
  ['unavailable', 503],
  ['not-implemented', 501],
  ['internal', 500],
];

describe('STATUS_BY_KIND', () => {
  for (const [kind, status] of STATUSES) {
    it(`${kind} is ${status}`, () => assert.equal(STATUS_BY_KIND[new EngineError(kind, 'x').kind], status));
  }
});
