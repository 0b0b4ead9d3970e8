import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CATALOG, GROUPS } from './catalog.ts';
import { groupHelp } from './help.ts';

describe('groupHelp', () => {
  it('lists each command of a group once, by its first name there, in order and in columns', () => {
    assert.match(
      groupHelp('volume'),
      /^Usage: {2}fairlead volume COMMAND\n\nCommands:\n {2}create {3}Create a volume\n/,
    );
    for (const group of GROUPS) {
      const [, block = ''] = /Commands:\n([^]*?)\n\n/.exec(groupHelp(group)) ?? [];
      const lines = block.split('\n');
      const names = lines.map((line) => line.trim().split(' ')[0] ?? '');
      assert.deepEqual(names, names.toSorted());
      assert.equal(
        lines.length,
        CATALOG.filter((entry) => entry.names.some((name) => name.startsWith(`${group} `))).length,
      );
      const width = Math.max(...names.map((name) => name.length));
      for (const line of lines) assert.match(line.slice(2 + width), /^ {2}\S/);
    }
  });
});
