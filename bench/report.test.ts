import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median } from './measure.ts';
import { document, table, withTable, type BenchResults } from './report.ts';

const results: BenchResults = {
  takenAt: '2026-01-01',
  rounds: 3,
  host: { cpus: 2, kernel: '6.1' },
  contenders: [
    { name: 'ours', version: '1', values: { run: [30, 10, 20], 'exec-output': [400], 'idle-pss': [0.5] } },
    { name: 'theirs', version: '2', values: { run: [100, 60, 80], 'exec-output': [100], 'idle-pss': [0] } },
  ],
};

describe('median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });
});

describe('table', () => {
  const rows = table(results).split('\n');

  it('shows medians and how many times better the first is, whichever way is better', () => {
    assert.ok(rows.includes('| run `true` to its exit, no network, ms | 20.0 | 80.0 (4.00×) |'));
    assert.ok(rows.includes('| exec, 256 MiB of stdout, MB/s | 400 | 100 (4.00×) |'));
  });

  it('shows no ratio to nothing, and a dash for what was not measured', () => {
    assert.ok(rows.includes('| memory per idle container (PSS), MB | 0.50 | 0.00 |'));
    assert.ok(rows.includes('| exec `true`, with its exit code, ms | – | – |'));
  });
});

describe('document', () => {
  it('says what was compared, and on what, without naming the machine', () => {
    const text = document(results);
    assert.match(text, /3 interleaved rounds on 2 CPUs, Linux 6\.1/);
    assert.match(text, /- theirs: 2/);
  });
});

describe('withTable', () => {
  it('replaces what is between the marks, and nothing else', () => {
    const text = 'before\n<!-- bench -->\nold $1\n<!-- /bench -->\nafter\n';
    assert.equal(withTable(text, '| $& |'), 'before\n<!-- bench -->\n| $& |\n<!-- /bench -->\nafter\n');
    assert.throws(() => withTable('no marks', ''), /no <!-- bench -->/);
  });
});
