import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  checkPorts,
  exposedPorts,
  formatContainerPort,
  parseContainerPorts,
  parsePortRange,
  portRequests,
} from './ports.ts';
import { configWith, hostConfigWith } from './spec-request.fixture.ts';

describe('parseContainerPorts', () => {
  const cases = [
    { text: '80', ports: ['80/tcp'] },
    { text: '80/udp', ports: ['80/udp'] },
    { text: '80/TCP', ports: ['80/tcp'] },
    { text: '9/sctp', ports: ['9/sctp'] },
    { text: '8000-8002/tcp', ports: ['8000/tcp', '8001/tcp', '8002/tcp'] },
    { text: '65535', ports: ['65535/tcp'] },
  ];
  for (const { text, ports } of cases) {
    it(`reads ${text}`, () => assert.deepEqual(parseContainerPorts(text)?.map(formatContainerPort), ports));
  }

  for (const text of ['', '0', 'abc', '80/icmp', '80/tcp/udp', '65536', '90-80', '-1', '80-', ' 80', '8e1']) {
    it(`takes ${JSON.stringify(text)} for no port`, () => assert.equal(parseContainerPorts(text), undefined));
  }

  it('reads back what it writes', () => {
    const fields = {
      protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
      port: fc.integer({ min: 1, max: 65_535 }),
    };
    const port = fc.record(fields, { noNullPrototype: true });
    fc.assert(fc.property(port, (one) => assert.deepEqual(parseContainerPorts(formatContainerPort(one)), [one])));
  });
});

describe('checkPorts', () => {
  const refused = [
    { parts: { config: { ExposedPorts: { abc: {} } } }, words: 'invalid port specification: "abc"' },
    { parts: { hostConfig: { PortBindings: { abc: [] } } }, words: 'invalid port specification: "abc"' },
    {
      parts: { hostConfig: { PortBindings: { '80-81/tcp': null } } },
      words: 'invalid port specification: "80-81/tcp"',
    },
    {
      parts: { hostConfig: { PortBindings: { '80/tcp': [{ HostPort: 'x' }] } } },
      words: 'invalid port specification: "x"',
    },
    {
      parts: { hostConfig: { PortBindings: { '80/tcp': [{ HostPort: '90-80' }] } } },
      words: 'invalid port specification: "90-80"',
    },
    {
      parts: { hostConfig: { PortBindings: { '80/tcp': [{ HostIp: 'localhost', HostPort: '80' }] } } },
      words: 'invalid host IP address: "localhost"',
    },
    {
      parts: { hostConfig: { PortBindings: { '80/tcp': [{ HostIp: '::1' }] } } },
      words: 'publishing ports at addresses of IPv6 (HostConfig.PortBindings: 80/tcp at ::1) is not implemented yet',
    },
  ];
  for (const { parts, words } of refused) {
    it(`refuses ${JSON.stringify(parts)}`, () => {
      const { config = {}, hostConfig = {} } = { config: undefined, hostConfig: undefined, ...parts };
      assert.throws(() => checkPorts(configWith(config), hostConfigWith(hostConfig)), { message: words });
    });
  }
});

describe('exposedPorts', () => {
  it('has those of the config and the published ones once, sorted by what they are called', () => {
    const config = configWith({ ExposedPorts: { '80/tcp': {}, 443: {}, '53/udp': {} } });
    const hostConfig = hostConfigWith({ PortBindings: { '80/tcp': [{ HostPort: '8080' }], '9': null } });
    assert.deepEqual(exposedPorts(config, hostConfig).map(formatContainerPort), [
      '443/tcp',
      '53/udp',
      '80/tcp',
      '9/tcp',
    ]);
  });

  it('leaves out what an image calls a port and is none', () => {
    assert.deepEqual(exposedPorts({ ExposedPorts: { http: {} } }, { PortBindings: {} }), []);
  });
});

describe('portRequests', () => {
  const cases = [
    {
      hostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
      expected: [['tcp', 80, '0.0.0.0', { first: 8080, last: 8080 }]],
    },
    {
      hostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8000-8010' }, { HostPort: '' }] } },
      expected: [
        ['tcp', 80, '127.0.0.1', { first: 8000, last: 8010 }],
        ['tcp', 80, '0.0.0.0', undefined],
      ],
    },
    { hostConfig: { PortBindings: { 80: [{ HostPort: '0' }] } }, expected: [['tcp', 80, '0.0.0.0', undefined]] },
    { hostConfig: { PortBindings: { '80/tcp': null } }, expected: [] },
    {
      hostConfig: { PublishAllPorts: true, PortBindings: { '80/tcp': [{ HostPort: '8080' }] } },
      expected: [
        ['udp', 53, '0.0.0.0', undefined],
        ['tcp', 80, '0.0.0.0', { first: 8080, last: 8080 }],
      ],
    },
  ];
  for (const { hostConfig, expected } of cases) {
    it(`of ${JSON.stringify(hostConfig)}`, () => {
      const found = portRequests(configWith({ ExposedPorts: { '53/udp': {} } }), hostConfigWith(hostConfig));
      assert.deepEqual(
        found.map(({ protocol, containerPort, hostAddress, hostPorts }) => [
          protocol,
          containerPort,
          hostAddress,
          hostPorts,
        ]),
        expected,
      );
    });
  }
});

describe('parsePortRange', () => {
  it('answers any text with a range or none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const range = parsePortRange(text);
        assert.ok(range === undefined || (range.first <= range.last && range.last <= 65_535));
      }),
    );
  });
});
