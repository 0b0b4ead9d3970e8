import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { linkedHost, linkEnvironment, parseLink, relinkedHosts, type LinkedContainer } from './links.ts';

const linked: LinkedContainer = {
  alias: 'my-db',
  parentName: 'web',
  name: 'db1',
  hostname: 'abc',
  address: '172.17.0.9',
  environment: ['MODE=x', 'PATH=/bin', 'HOME=/root', 'BARE'],
  ports: [
    { protocol: 'udp', port: 53 },
    { protocol: 'tcp', port: 81 },
    { protocol: 'tcp', port: 80 },
  ],
};

describe('parseLink', () => {
  for (const [text, ref, alias] of [
    ['db:data', 'db', 'data'],
    ['db', 'db', 'db'],
    ['/db:/web/data', 'db', 'data'],
  ] as const) {
    it(`reads ${text}`, () => assert.deepEqual(parseLink(text), { ref, alias }));
  }
});

describe('linkEnvironment', () => {
  it('tells address, ports, name and variables', () => {
    assert.deepEqual(linkEnvironment(linked), [
      'MY_DB_PORT=udp://172.17.0.9:53',
      'MY_DB_PORT_80_TCP_START=tcp://172.17.0.9:80',
      'MY_DB_PORT_80_TCP_ADDR=172.17.0.9',
      'MY_DB_PORT_80_TCP_PROTO=tcp',
      'MY_DB_PORT_80_TCP_PORT_START=80',
      'MY_DB_PORT_80_TCP_END=tcp://172.17.0.9:81',
      'MY_DB_PORT_80_TCP_PORT_END=81',
      'MY_DB_PORT_53_UDP=udp://172.17.0.9:53',
      'MY_DB_PORT_53_UDP_ADDR=172.17.0.9',
      'MY_DB_PORT_53_UDP_PORT=53',
      'MY_DB_PORT_53_UDP_PROTO=udp',
      'MY_DB_PORT_80_TCP=tcp://172.17.0.9:80',
      'MY_DB_PORT_80_TCP_ADDR=172.17.0.9',
      'MY_DB_PORT_80_TCP_PORT=80',
      'MY_DB_PORT_80_TCP_PROTO=tcp',
      'MY_DB_PORT_81_TCP=tcp://172.17.0.9:81',
      'MY_DB_PORT_81_TCP_ADDR=172.17.0.9',
      'MY_DB_PORT_81_TCP_PORT=81',
      'MY_DB_PORT_81_TCP_PROTO=tcp',
      'MY_DB_NAME=/web/my-db',
      'MY_DB_ENV_MODE=x',
    ]);
  });
});

describe('relinkedHosts', () => {
  it('gives a linked container its new address and leaves the rest', () => {
    const before = `127.0.0.1\tlocalhost\n${linkedHost(linked)}\n1.2.3.4\tmine\n`;
    const after = relinkedHosts(before, { ...linked, address: '172.17.0.10', name: 'new' });
    assert.equal(after, '127.0.0.1\tlocalhost\n172.17.0.10\tmy-db abc new\n1.2.3.4\tmine\n');
  });
});
