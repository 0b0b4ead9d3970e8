import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkBans } from './check-bans.ts';
import { parseSource } from './source-tree.ts';

function findings(text: string, file = 'packages/engine/src/core/x.ts'): readonly string[] {
  return checkBans([parseSource(file, `\n${text}\n`)]).map(({ line, message }) => `${line}: ${message}`);
}

describe('checkBans', () => {
  const refused = [
    {
      what: 'an empty catch, also one with a comment',
      text: 'try { a(); } catch { /* never mind */ }',
      message: /empty catch/,
    },
    { what: 'the throw of a class', text: 'throw EngineError;', message: /not the class itself/ },
    { what: 'an error without a kind', text: "throw new Error('no');", message: /EngineError/ },
    {
      what: 'a look into a message',
      text: "if (error.message.includes('busy')) retry();",
      message: /never match on a message/,
    },
    {
      what: 'a look into a message that may be absent',
      text: "error?.message?.startsWith('busy');",
      message: /never match on a message/,
    },
    {
      what: 'a pattern held against a message',
      text: '/busy/.test(error.message);',
      message: /never match on a message/,
    },
    {
      what: 'a pushed stream',
      text: "socket.on('data', (chunk) => other.write(chunk));",
      message: /streams are pulled/,
    },
    { what: 'module state', text: 'let count = 0;', message: /no module holds state/ },
    { what: 'exported module state', text: 'export let count = 0;', message: /no module holds state/ },
    { what: 'a note without an issue', text: '// TODO: later', message: /needs an issue/ },
    { what: 'a path of one machine', text: "const path = '/home/me/project';", message: /path of one machine/ },
  ];
  for (const { what, text, message } of refused) {
    it(`refuses ${what}`, () => {
      const [first, ...rest] = findings(text);
      assert.match(first ?? 'nothing reported', message);
      assert.match(first ?? '', /^2: /);
      assert.deepEqual(rest, []);
    });
  }

  const allowed = [
    { what: 'a catch that does something', text: 'try { a(); } catch { b(); }' },
    { what: 'a note with an issue', text: '// TODO(#12): later' },
    { what: 'an error with a kind', text: "throw new EngineError('conflict', 'busy');" },
    { what: 'a let inside a function', text: 'function f() { let a = 0; return a; }' },
    { what: "a decoder's RangeError", text: "throw new RangeError('too long');" },
    { what: 'a path of every Linux', text: "const path = '/var/lib/fairlead';" },
  ];
  for (const { what, text } of allowed) it(`lets pass ${what}`, () => assert.deepEqual(findings(text), []));

  it('lets the table of another program’s words match on them', () => {
    assert.deepEqual(
      findings("error.message.includes('not found');", 'packages/engine/src/drivers/oci/runtime-failure.ts'),
      [],
    );
  });

  it('lets a test listen and throw as it likes, but not swallow', () => {
    assert.deepEqual(
      findings("socket.on('data', keep); throw new Error('no');", 'packages/engine/src/core/x.test.ts'),
      [],
    );
    assert.equal(findings('try { a(); } catch {}', 'packages/engine/src/core/x.test.ts').length, 1);
  });
});
