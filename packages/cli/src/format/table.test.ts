import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatTable, TOP_TABLE } from './table.ts';

describe('formatTable', () => {
  it('is laid out as docker images is', () => {
    const rows = [
      ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
      ['busybox', 'latest', '4c3a696a3cc7', 'About a minute ago', '1.99MB'],
    ];
    assert.equal(
      formatTable(rows),
      'REPOSITORY   TAG       IMAGE ID       CREATED              SIZE\n' +
        'busybox      latest    4c3a696a3cc7   About a minute ago   1.99MB\n',
    );
  });

  it('is laid out as docker top is', () => {
    assert.equal(
      formatTable(
        [
          ['UID', 'PID', 'CMD'],
          ['root', '12583', 'sleep 1000'],
        ],
        TOP_TABLE,
      ),
      'UID                 PID                 CMD\nroot                12583               sleep 1000\n',
    );
  });

  it('counts characters, not bytes', () => {
    assert.equal(
      formatTable([
        ['ééééééééé', 'x'],
        ['a', 'y'],
      ]),
      'ééééééééé   x\na           y\n',
    );
  });
});
