import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseKeeperReport } from './keeper-report.ts';

describe('parseKeeperReport', () => {
  const cases = [
    { text: '', pid: undefined, log: '' },
    { text: 'open executable: Permission denied\n', pid: undefined, log: 'open executable: Permission denied\n' },
    { text: '\u00001234\n', pid: 1234, log: '' },
    { text: 'a warning\n\u00001234\n', pid: 1234, log: 'a warning\n' },
    { text: 'half a pid\n\u000012', pid: undefined, log: 'half a pid\n' },
  ];
  for (const { text, pid, log } of cases) {
    it(`${JSON.stringify(text)} → ${pid ?? 'no pid'}`, () => assert.deepEqual(parseKeeperReport(text), { pid, log }));
  }
});
