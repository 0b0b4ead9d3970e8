import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkTag, logDetails, type LoggedContainer } from './log-attributes.ts';

const ID = '0123456789abcdef'.repeat(4);
const container: Omit<LoggedContainer, 'options'> = {
  id: ID,
  name: 'web',
  imageId: `sha256:${ID}`,
  image: 'busybox:latest',
  labels: { tier: 'front end', 'com.example.a': '1', 'com.example.b': '2' },
  environment: ['MODE=a=b', 'EMPTY=', 'OTHER=x'],
};

describe('logDetails', () => {
  const cases: readonly { readonly options: Readonly<Record<string, string>>; readonly details: string }[] = [
    { options: {}, details: '' },
    { options: { labels: 'tier,nosuch' }, details: 'tier=front+end' },
    { options: { env: 'MODE,EMPTY' }, details: 'EMPTY=,MODE=a%3Db' },
    { options: { 'labels-regex': '^com\\.' }, details: 'com.example.a=1,com.example.b=2' },
    { options: { 'env-regex': '^O', labels: 'tier' }, details: 'OTHER=x,tier=front+end' },
    { options: { tag: '{{.Name}}/{{ .ID }}' }, details: 'tag=web%2F0123456789ab' },
    { options: { tag: '{{.ImageName}}!' }, details: 'tag=busybox%3Alatest%21' },
  ];
  for (const { options, details } of cases) {
    it(`of ${JSON.stringify(options)} is ${JSON.stringify(details)}`, () =>
      assert.equal(logDetails({ ...container, options }), details));
  }
});

describe('checkTag', () => {
  it('takes text and the words that are put in', () => {
    checkTag(undefined);
    checkTag('plain {text} {{.FullID}}');
  });

  for (const tag of ['{{.Bogus}}', '{{ printf "x" }}', '{{.toString}}']) {
    it(`refuses ${tag}`, () => assert.throws(() => checkTag(tag), { kind: 'invalid-argument' }));
  }
});
