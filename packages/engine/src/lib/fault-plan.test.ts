import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseFaultPlan, type Checkpoint } from './fault-plan.ts';

function outcomes(text: string, passed: readonly Checkpoint[]): readonly string[] {
  const plan = parseFaultPlan(text);
  return passed.map((checkpoint) => {
    const fault = plan.pass(checkpoint);
    return fault.action === 'error' ? fault.code : fault.action;
  });
}

const times = (count: number, checkpoint: Checkpoint): readonly Checkpoint[] =>
  Array.from({ length: count }, () => checkpoint);

describe('parseFaultPlan', () => {
  const plans: readonly {
    readonly text: string;
    readonly passed: readonly Checkpoint[];
    readonly is: readonly string[];
  }[] = [
    { text: 'files.rename: error(ENOSPC)', passed: times(2, 'files.rename'), is: ['ENOSPC', 'ok'] },
    {
      text: 'files.rename: 2*ok -> 1*error(ENOSPC) -> crash',
      passed: times(5, 'files.rename'),
      is: ['ok', 'ok', 'ENOSPC', 'crash', 'ok'],
    },
    {
      text: 'any: 2*ok -> crash-after',
      passed: ['files.write', 'sqlite.put', 'process.spawn', 'files.write'],
      is: ['ok', 'ok', 'crash-after', 'ok'],
    },
    {
      text: 'sqlite.put: ok -> error(EIO); files.write: crash',
      passed: ['sqlite.put', 'files.rename', 'sqlite.put', 'files.write'],
      is: ['ok', 'ok', 'EIO', 'crash'],
    },
    { text: 'any: ok -> crash; files.write: error(EIO)', passed: times(2, 'files.write'), is: ['EIO', 'crash'] },
  ];
  for (const { text, passed, is } of plans) {
    it(`${text} → ${is.join(' ')}`, () => assert.deepEqual(outcomes(text, passed), is));
  }

  it('takes the files that begin and tell the counting', () => {
    const { when, trace } = parseFaultPlan('when /tmp/armed; trace /tmp/trace; any: crash');
    assert.deepEqual([when, trace], ['/tmp/armed', '/tmp/trace']);
  });

  const refused = [
    '',
    'files.rename',
    'files.rename:',
    'files.renamed: crash',
    'files.rename: 0*ok',
    'files.rename: ok ->',
    'files.rename: 1.5*ok',
    'files.rename: error()',
    'files.rename: error(enospc)',
    'files.rename: explode',
    'files.rename: ok; files.rename: ok',
    'when relative; any: crash',
    'any: ok; ',
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseFaultPlan(text), { kind: 'invalid-argument' });
    });
  }
});
