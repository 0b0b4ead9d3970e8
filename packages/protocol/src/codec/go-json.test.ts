import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { createContainerBodySchema } from '../models/create-container-body.ts';
import { execConfigSchema, execStartSchema } from '../models/exec-config.ts';
import { decodeBody, JSON_BODY_BYTES_MAX, parseJson } from './go-json.ts';
import { explainJson } from './json-syntax.ts';

describe('decodeBody', () => {
  it('matches keys without case, at every depth, and the last spelling wins', () => {
    const body = decodeBody(
      createContainerBodySchema,
      '{"cmd":["a"],"CMD":["b"],"hostconfig":{"restartpolicy":{"NAME":"always"},"ulimits":[{"name":"nofile","HARD":5}]}}',
    );
    assert.deepEqual(body.Cmd, ['b']);
    assert.equal(body.HostConfig.RestartPolicy.Name, 'always');
    assert.deepEqual(body.HostConfig.Ulimits, [{ Name: 'nofile', Soft: 0, Hard: 5 }]);
  });

  it('keeps the keys of maps as they are, whatever they are', () => {
    const labels = decodeBody(
      createContainerBodySchema,
      '{"Labels":{"__proto__":"a","constructor":"b","K":"c","k":"d"}}',
    ).Labels;
    assert.deepEqual(Object.entries(labels), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['K', 'c'],
      ['k', 'd'],
    ]);
  });

  it('ignores unknown fields and takes null as absent', () => {
    assert.deepEqual(
      decodeBody(execConfigSchema, '{"Bogus":{"deep":[1]},"Tty":null,"Cmd":null,"User":null}'),
      decodeBody(execConfigSchema, '{}'),
    );
  });

  it('takes an empty text and a bare null as an empty document', () => {
    for (const text of ['', ' \n', 'null', '{}']) {
      assert.deepEqual(decodeBody(execStartSchema, text), { Detach: false, Tty: false, ConsoleSize: null });
    }
  });

  it('takes null in a list of texts as the empty text', () => {
    assert.deepEqual(decodeBody(execConfigSchema, '{"Cmd":["a",null]}').Cmd, ['a', '']);
  });

  const cannot = 'invalid JSON: json: cannot unmarshal';
  const refusals: readonly (readonly [string, string])[] = [
    ['{"Cmd":"sh"}', `${cannot} string into Go struct field ExecOptions.Cmd of type []string`],
    ['{"Cmd":[1]}', `${cannot} number into Go struct field ExecOptions.Cmd of type string`],
    ['{"Tty":"yes"}', `${cannot} string into Go struct field ExecOptions.Tty of type bool`],
    ['{"User":false}', `${cannot} bool into Go struct field ExecOptions.User of type string`],
    ['{"Env":{}}', `${cannot} object into Go struct field ExecOptions.Env of type []string`],
    ['{"ConsoleSize":[1.5,2]}', `${cannot} number 1.5 into Go struct field ExecOptions.ConsoleSize of type uint`],
    ['{"ConsoleSize":[-1,2]}', `${cannot} number into Go struct field ExecOptions.ConsoleSize of type uint`],
    ['[]', `${cannot} array into Go value of type ExecOptions`],
    ['"x"', `${cannot} string into Go value of type ExecOptions`],
    ['12', `${cannot} number into Go value of type ExecOptions`],
    ['{"Cmd":["sh"]} {}', 'unexpected content after JSON'],
    ['{"Cmd":["sh"]', 'invalid JSON: unexpected EOF'],
    ['{"Cmd":[sh]}', "invalid JSON: invalid character 's' looking for beginning of value"],
  ];
  for (const [text, message] of refusals) {
    it(`refuses ${text} with Docker's words`, () => {
      assert.throws(() => decodeBody(execConfigSchema, text), { kind: 'invalid-argument', message });
    });
  }

  it('names the innermost struct and the whole path, without keys of maps', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['{"HostConfig":{"Memory":"64m"}}', 'string into Go struct field HostConfig.HostConfig.Memory of type int64'],
      ['{"Labels":{"a":1}}', 'number into Go struct field CreateRequest.Labels of type string'],
      ['{"Labels":[]}', 'array into Go struct field CreateRequest.Labels of type map[string]string'],
      [
        '{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":80}]}}}',
        'number into Go struct field PortBinding.HostConfig.PortBindings.HostPort of type string',
      ],
      ['{"HostConfig":{"Mounts":{}}}', 'object into Go struct field HostConfig.HostConfig.Mounts of type []Mount'],
    ];
    for (const [text, message] of cases) {
      assert.throws(() => decodeBody(createContainerBodySchema, text), { message: `${cannot} ${message}` });
    }
  });

  it('never throws anything but an EngineError, for any document', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.object().map((o) => JSON.stringify({ HostConfig: o, ...o })),
        ),
        (text) => {
          try {
            decodeBody(createContainerBodySchema, text);
          } catch (error) {
            assert.equal(error instanceof Error && error.name, 'EngineError', String(error));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('parseJson', () => {
  it('refuses what is too large', () => {
    assert.throws(() => parseJson(`"${'x'.repeat(JSON_BODY_BYTES_MAX)}"`), { kind: 'too-large' });
  });

  it('refuses what is too deep, also a million levels', () => {
    assert.throws(() => parseJson('['.repeat(65) + ']'.repeat(65)), { message: 'invalid JSON: exceeded max depth' });
    assert.throws(() => parseJson('['.repeat(1_000_000)), { message: 'invalid JSON: exceeded max depth' });
    assert.throws(() => parseJson('['.repeat(1_000_000) + ']'.repeat(1_000_000)), { kind: 'invalid-argument' });
  });
});

describe('explainJson', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'unexpected EOF'],
    ['{', 'unexpected EOF'],
    ['{"a"', 'unexpected EOF'],
    ['"a', 'unexpected EOF'],
    ['{a', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1', "invalid character '1' after object key"],
    ['{"a":1 2', "invalid character '2' after object key:value pair"],
    ['[1 2', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['"\n"', "invalid character '\\n' in string literal"],
    ["'a'", "invalid character '\\'' looking for beginning of value"],
  ];
  for (const [text, message] of cases) {
    it(`says of ${JSON.stringify(text)}: ${message}`, () =>
      assert.equal(explainJson(text), `invalid JSON: ${message}`));
  }

  it('finds fault with exactly what JSON.parse refuses', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', ':', '}', ']', '"', '\\', '1', 'x', ' '))
      .map(
        ([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice((at % (text.length + 1)) + 1),
      );
    fc.assert(
      fc.property(broken, (text) => {
        let refused = false;
        try {
          JSON.parse(text);
        } catch {
          refused = true;
        }
        // Of a valid text the explanation is never asked; it would then call what follows it trailing content.
        if (!refused) assert.equal(explainJson(text), 'unexpected content after JSON');
        else assert.ok(/^invalid JSON: |^unexpected content/.test(explainJson(text)));
      }),
    );
  });
});
