import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { hostnameFile, hostsFile, resolvConfFile, resolvConfSource, type HostsRequest } from './etc-files.ts';
import { parseExtraHost } from './extra-hosts.ts';
import { addressFamily, isLoopback } from './ip-address.ts';

const hosts: HostsRequest = {
  hostname: 'web',
  domainname: '',
  extraHosts: [],
  linked: [],
  ipAddress: '172.17.0.2',
  hostGateway: '172.17.0.1',
};
const dns = { host: '', nameservers: [], search: [], options: [], sharesHostNetwork: false };
const withoutComment = (text: string): string => text.replace(/^#.*\n/, '');

describe('hostsFile', () => {
  it('names the machine itself, what was asked for, and the container last', () => {
    const lines = hostsFile({ ...hosts, extraHosts: ['db:10.0.0.5', 'v6=[2001:db8::1]', 'me:host-gateway'] }).split(
      '\n',
    );
    assert.equal(lines[0], '127.0.0.1\tlocalhost');
    assert.deepEqual(lines.slice(6), ['10.0.0.5\tdb', '2001:db8::1\tv6', '172.17.0.1\tme', '172.17.0.2\tweb', '']);
  });

  it('has the full name first with a domain', () => {
    assert.match(hostsFile({ ...hosts, domainname: 'example.org' }), /^172\.17\.0\.2\tweb\.example\.org web$/m);
  });

  it('has no line for a container without a network', () => {
    assert.doesNotMatch(hostsFile({ ...hosts, ipAddress: undefined }), /web/);
  });

  it("is the host's own file in the network of the host, unless names were asked for", () => {
    const shared = { ...hosts, ipAddress: undefined, hostFile: '127.0.0.1 me\n' };
    assert.equal(hostsFile(shared), '127.0.0.1 me\n');
    assert.match(
      hostsFile({ ...shared, extraHosts: ['db:10.0.0.5'] }),
      /^127\.0\.0\.1\tlocalhost\n[^]*10\.0\.0\.5\tdb\n$/,
    );
  });

  it('refuses host-gateway where there is none', () => {
    assert.throws(
      () => hostsFile({ ...hosts, extraHosts: ['a:host-gateway'], hostGateway: undefined }),
      /host-gateway/,
    );
  });
});

describe('resolvConfFile', () => {
  const host = '# mine\nnameserver 127.0.0.53\nnameserver 10.0.0.2\nsearch a.org b.org\noptions edns0 trust-ad\n';
  const cases = [
    {
      fact: 'leaves servers on loopback out',
      request: { host },
      expected: 'nameserver 10.0.0.2\nsearch a.org b.org\noptions edns0 trust-ad\n',
    },
    {
      fact: 'takes public servers when none is left',
      request: { host: 'nameserver 127.0.0.1\nnameserver ::1\n' },
      expected: 'nameserver 8.8.8.8\nnameserver 8.8.4.4\n',
    },
    {
      fact: 'lets what was asked for win',
      request: { host, nameservers: ['9.9.9.9'], search: ['c.org'], options: ['ndots:2'] },
      expected: 'nameserver 9.9.9.9\nsearch c.org\noptions ndots:2\n',
    },
    {
      fact: 'has no search domain for a dot',
      request: { host, search: ['.'], options: ['x'] },
      expected: 'nameserver 10.0.0.2\noptions x\n',
    },
    {
      fact: 'keeps servers on loopback in the network of the host',
      request: { host, sharesHostNetwork: true, options: ['x'] },
      expected: 'nameserver 127.0.0.53\nnameserver 10.0.0.2\nsearch a.org b.org\noptions x\n',
    },
  ];
  for (const { fact, request, expected } of cases) {
    it(fact, () => assert.equal(withoutComment(resolvConfFile({ ...dns, ...request })), expected));
  }

  it("is the host's own file in the network of the host", () => {
    assert.equal(resolvConfFile({ ...dns, host, sharesHostNetwork: true }), host);
  });
});

describe('resolvConfSource', () => {
  it("is systemd-resolved's file only where its stub is the only server", () => {
    assert.equal(resolvConfSource('nameserver 127.0.0.53\n'), '/run/systemd/resolve/resolv.conf');
    assert.equal(resolvConfSource('nameserver 127.0.0.53\nnameserver 10.0.0.1\n'), '/etc/resolv.conf');
    assert.equal(resolvConfSource(''), '/etc/resolv.conf');
  });
});

describe('hostnameFile', () => {
  it('is the name and a line end', () => assert.equal(hostnameFile('web'), 'web\n'));
});

describe('parseExtraHost', () => {
  const cases = [
    { text: 'a:1.2.3.4', expected: { name: 'a', address: '1.2.3.4' } },
    { text: 'a=1.2.3.4', expected: { name: 'a', address: '1.2.3.4' } },
    { text: 'a:::1', expected: { name: 'a', address: '::1' } },
    { text: 'a=[::1]', expected: { name: 'a', address: '::1' } },
    { text: 'a:host-gateway', expected: { name: 'a', address: 'host-gateway' } },
  ];
  for (const { text, expected } of cases) it(`takes ${text}`, () => assert.deepEqual(parseExtraHost(text), expected));

  for (const text of ['', 'a', ':1.2.3.4', '=1.2.3.4', 'a:b:c=1.2.3.4', 'a:', 'a:1.2.3', 'a:[::1', 'a:1.2.3.4.5']) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseExtraHost(text), { kind: 'invalid-argument' }));
  }
});

describe('addressFamily', () => {
  it('agrees with Node about every address and what only looks like one', () => {
    const almost = fc.stringMatching(/^[0-9a-f:.]{0,20}$/);
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), almost), (text) => assert.equal(addressFamily(text) ?? 0, isIP(text))),
      { numRuns: 2000 },
    );
  });

  it('knows loopback', () => {
    for (const address of ['127.0.0.1', '127.0.0.53', '::1', '0:0:0:0:0:0:0:1', '0::1'])
      assert.ok(isLoopback(address), address);
    for (const address of ['128.0.0.1', '::', '::2', '1::1', '10.0.0.1', '::ffff:1'])
      assert.ok(!isLoopback(address), address);
  });
});
