import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redactCommand, redactHeaders, redactJson, redactTarget } from './redact.ts';

const HIDDEN = '(redacted, 2 characters)';

describe('redactCommand', () => {
  const cases: readonly { words: readonly string[]; shown: readonly string[] }[] = [
    {
      words: ['run', '-e', 'A=xy', '--env', 'B=xy', '-eC=xy', '--env=D=xy'],
      shown: ['run', '-e', `A=${HIDDEN}`, '--env', `B=${HIDDEN}`, `-eC=${HIDDEN}`, `--env=D=${HIDDEN}`],
    },
    {
      words: ['build', '--build-arg', 'T=xy', '--build-arg=U=xy'],
      shown: ['build', '--build-arg', `T=${HIDDEN}`, `--build-arg=U=${HIDDEN}`],
    },
    {
      words: ['login', '--password', 'xy', '--password=xy'],
      shown: ['login', '--password', HIDDEN, `--password=${HIDDEN}`],
    },
    { words: ['run', '-e', 'FROM_HERE', 'busybox', 'a=b'], shown: ['run', '-e', 'FROM_HERE', 'busybox', 'a=b'] },
    { words: ['node', '-e', 'let a = 1'], shown: ['node', '-e', 'let a = 1'] },
  ];
  for (const { words, shown } of cases) it(words.join(' '), () => assert.deepEqual(redactCommand(words), shown));
});

describe('redactHeaders', () => {
  it('hides credentials, whatever the case of their names', () => {
    assert.deepEqual(
      redactHeaders([
        ['X-REGISTRY-AUTH', 'xy'],
        ['Accept', 'xy'],
      ]),
      [
        ['X-REGISTRY-AUTH', HIDDEN],
        ['Accept', 'xy'],
      ],
    );
  });
});

describe('redactTarget', () => {
  it('hides the arguments of a build, and nothing else', () => {
    assert.equal(redactTarget('/build?t=a&buildargs=%7B%22A%22%3A1%7D&x=1'), '/build?t=a&buildargs=redacted&x=1');
  });
});

describe('redactJson', () => {
  const cases: readonly { json: string; shown: string | undefined }[] = [
    {
      json: '{"Env":["A=xy","B"],"Config":{"env":["C=xy"]}}',
      shown: `{"Env":["A=${HIDDEN}","B"],"Config":{"env":["C=${HIDDEN}"]}}`,
    },
    {
      json: '{"Password":"xy","identitytoken":"","auths":[{"auth":"xy"}]}',
      shown: `{"Password":"${HIDDEN}","identitytoken":"","auths":[{"auth":"${HIDDEN}"}]}`,
    },
    { json: '{"Env":null,"n":1}', shown: '{"Env":null,"n":1}' },
    { json: '{"Env":["A=xy"', shown: undefined },
  ];
  for (const { json, shown } of cases) it(json, () => assert.equal(redactJson(json), shown));
});
