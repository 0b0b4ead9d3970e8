import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { isEngineError } from '@fairlead/protocol';
import { ID_MAX, resolveUser } from './resolve-user.ts';

const files = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    '# a comment',
    'broken',
    'web:x:1000:1000::/home/web:/bin/sh',
    '2000:x:1500:1500::/home/number:/bin/sh',
    'bare:x:1600:1600::',
  ].join('\n'),
  group: ['root:x:0:', 'web:x:1000:', 'www:x:33:web,other', 'adm:x:4:root', 'ci:x:99:web'].join('\r\n'),
};

describe('resolveUser', () => {
  const cases = [
    { user: '', expected: { uid: 0, gid: 0, additionalGids: [0, 4], home: '/root' } },
    { user: 'root', expected: { uid: 0, gid: 0, additionalGids: [0, 4], home: '/root' } },
    { user: 'web', expected: { uid: 1000, gid: 1000, additionalGids: [1000, 33, 99], home: '/home/web' } },
    { user: '1000', expected: { uid: 1000, gid: 1000, additionalGids: [1000, 33, 99], home: '/home/web' } },
    { user: 'web:www', expected: { uid: 1000, gid: 33, additionalGids: [33], home: '/home/web' } },
    { user: 'web:77', expected: { uid: 1000, gid: 77, additionalGids: [77], home: '/home/web' } },
    { user: '77:88', expected: { uid: 77, gid: 88, additionalGids: [88], home: '/' } },
    { user: '77', expected: { uid: 77, gid: 0, additionalGids: [0], home: '/' } },
    { user: '2000', expected: { uid: 1500, gid: 1500, additionalGids: [1500], home: '/home/number' } },
    { user: 'bare', expected: { uid: 1600, gid: 1600, additionalGids: [1600], home: '/' } },
    { user: ':www', expected: { uid: 0, gid: 33, additionalGids: [33], home: '/root' } },
  ];
  for (const { user, expected } of cases) {
    it(`takes ${JSON.stringify(user)}`, () => assert.deepEqual(resolveUser(files, { user, groupAdd: [] }), expected));
  }

  it('adds groups by name and number', () => {
    const { additionalGids } = resolveUser(files, { user: 'web:web', groupAdd: ['www', '4', '12345', 'www'] });
    assert.deepEqual(additionalGids, [1000, 33, 4, 12345]);
  });

  it('is root at / in an image without the files', () => {
    const root = { uid: 0, gid: 0, additionalGids: [0], home: '/' };
    assert.deepEqual(resolveUser({ passwd: '', group: '' }, { user: '', groupAdd: [] }), root);
  });

  const refused = [
    { user: 'nosuch', groupAdd: [], words: 'unable to find user nosuch: no matching entries in passwd file' },
    { user: 'root:nogrp', groupAdd: [], words: 'unable to find group nogrp: no matching entries in group file' },
    { user: '', groupAdd: ['nogrp'], words: 'Unable to find group nogrp: no matching entries in group file' },
    { user: '-1', groupAdd: [], words: 'uids and gids must be in range 0-2147483647' },
    { user: '2147483648', groupAdd: [], words: 'uids and gids must be in range 0-2147483647' },
  ];
  for (const { words, ...request } of refused) {
    it(`says ${words}`, () => assert.throws(() => resolveUser(files, request), { message: words }));
  }

  it('answers any files and any user with numbers in range or an error of ours', () => {
    const line = fc.stringMatching(/^[a-z0-9:,#\n -]{0,60}$/);
    fc.assert(
      fc.property(line, line, fc.stringMatching(/^[a-z0-9:-]{0,12}$/), (passwd, group, user) => {
        try {
          const found = resolveUser({ passwd, group }, { user, groupAdd: [] });
          for (const id of [found.uid, found.gid, ...found.additionalGids])
            assert.ok(Number.isInteger(id) && id <= ID_MAX);
          assert.equal(found.additionalGids[0], found.gid);
        } catch (error) {
          assert.ok(isEngineError(error), String(error));
        }
      }),
    );
  });
});
