import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FleetCommand } from '@fairlead/protocol/fleet';
import { parseFleetCommand } from './parse-fleet-command.ts';

describe('parseFleetCommand', () => {
  const cases: readonly (readonly [string, FleetCommand])[] = [
    ['restart web', { verb: 'restart', container: 'web' }],
    ['stop -t 20 -s SIGINT web', { verb: 'stop', container: 'web', graceMs: 20_000, signal: 'SIGINT' }],
    ['stop -t -1 web', { verb: 'stop', container: 'web', graceMs: null }],
    ['rm -f web', { verb: 'remove', container: 'web', force: true, volumes: false }],
    ['rename web old', { verb: 'rename', container: 'web', name: 'old' }],
    ['exec -u 1 web ls -l /', { verb: 'exec', container: 'web', argv: ['ls', '-l', '/'], user: '1' }],
    ['pull busybox', { verb: 'pull', image: 'busybox' }],
    ['noop', { verb: 'noop' }],
  ];
  for (const [typed, command] of cases) {
    it(typed, () => assert.deepEqual(parseFleetCommand(typed.split(' ')), command));
  }

  it('refuses verbs that no host is asked for, and words that are missing', () => {
    for (const typed of ['run busybox', 'stop', 'stop a b', 'exec web', 'rename web', 'stop --nonsense web']) {
      assert.throws(() => parseFleetCommand(typed.split(' ')), /./, typed);
    }
  });
});
