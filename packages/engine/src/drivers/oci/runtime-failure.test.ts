import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runtimeFailure } from './runtime-failure.ts';
import { CRUN_REPORTS, RUNC_REPORTS } from './test/runtime-reports.ts';

describe('runtimeFailure', () => {
  for (const { words, exitCode, kind, report, ...call } of [...CRUN_REPORTS, ...RUNC_REPORTS]) {
    it(`${report.trim().slice(0, 120)} → ${exitCode}`, () => {
      const error = runtimeFailure(report, call);
      assert.equal(error.message, words);
      assert.equal(error.kind, kind);
      assert.equal(error.details['exitCode'], exitCode);
    });
  }
});
