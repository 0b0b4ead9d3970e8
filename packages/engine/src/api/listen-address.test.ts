import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import { formatListenAddress, parseListenAddress } from './listen-address.ts';

describe('parseListenAddress', () => {
  const accepted = [
    { text: 'unix:///run/fairlead/fairlead.sock', address: { kind: 'unix', path: '/run/fairlead/fairlead.sock' } },
    { text: 'tcp://127.0.0.1:2375', address: { kind: 'tcp', host: '127.0.0.1', port: 2375 } },
    { text: 'tcp://127.0.0.1:0', address: { kind: 'tcp', host: '127.0.0.1', port: 0 } },
    { text: 'tcp://[::1]:2375', address: { kind: 'tcp', host: '::1', port: 2375 } },
  ] as const;
  for (const { text, address } of accepted) {
    it(`${text} is read, and written the same way`, () => {
      assert.deepEqual(parseListenAddress(text), address);
      assert.equal(formatListenAddress(address), text);
    });
  }

  const refused = [
    'tcp://0.0.0.0:2375',
    'tcp://192.168.1.2:2375',
    'tcp://127.0.0.1.example.com:2375',
    'tcp://:2375',
    'tcp://127.0.0.1',
    'tcp://127.0.0.1:99999',
    'unix://relative.sock',
    'unix://',
    '/run/x.sock',
    'fd://',
    '',
  ];
  for (const text of refused) {
    it(`${text || 'nothing'} is refused`, () => {
      assert.throws(
        () => parseListenAddress(text),
        (error) => isEngineError(error) && error.kind === 'invalid-argument',
      );
    });
  }
});
