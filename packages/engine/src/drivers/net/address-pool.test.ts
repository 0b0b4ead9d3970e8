import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { AddressPool } from './address-pool.ts';
import { freeSubnets, parseNameservers, parseRoutes, SUBNET_CANDIDATES } from './host-routes.ts';
import { contains, formatAddress, formatSubnet, macOf, overlap, parseAddress, parseSubnet, sizeOf } from './ipv4.ts';

const small = parseSubnet('10.0.0.0/28');

describe('AddressPool', () => {
  it('starts behind the gateway and ends before broadcast', () => {
    const pool = new AddressPool(parseSubnet('10.0.0.0/29'));
    const taken = ['a', 'b', 'c', 'd', 'e'].map((holder) => formatAddress(pool.take(holder)));
    assert.deepEqual(taken, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    assert.throws(() => pool.take('f'), { kind: 'unavailable' });
    pool.release('c');
    assert.equal(formatAddress(pool.take('f')), '10.0.0.4');
  });

  it('takes no claim outside of it or on what another holds', () => {
    const pool = new AddressPool(small);
    assert.ok(pool.claim('a', parseAddress('10.0.0.5')));
    assert.ok(!pool.claim('b', parseAddress('10.0.0.5')));
    for (const address of ['10.0.0.0', '10.0.0.1', '10.0.0.15', '10.0.1.5'])
      assert.ok(!pool.claim('b', parseAddress(address)));
    assert.equal(formatAddress(pool.take('b')), '10.0.0.6');
  });

  it('never has an address twice, whatever was taken, claimed and given back', () => {
    const step = fc.record({
      act: fc.constantFrom('take', 'release', 'claim'),
      holder: fc.stringMatching(/^[a-p]$/),
      offset: fc.integer({ min: 0, max: 20 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new AddressPool(small);
        const held = new Map<string, number>();
        for (const { act, holder, offset } of steps) {
          if (act === 'release') {
            pool.release(holder);
            held.delete(holder);
          } else if (act === 'claim') {
            const free = ![...held.values()].includes(small.base + offset);
            const claimed = pool.claim(holder, small.base + offset);
            assert.equal(claimed, free && offset >= 2 && offset <= 14);
            if (claimed) held.set(holder, small.base + offset);
          } else if (held.size < 13 || held.has(holder)) {
            const address = pool.take(holder);
            assert.equal(held.get(holder) ?? address, address);
            held.set(holder, address);
          }
          assert.equal(new Set(held.values()).size, held.size);
          assert.equal(pool.takenCount, held.size);
        }
      }),
    );
  });
});

describe('freeSubnets', () => {
  const header = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const routes = parseRoutes(
    `${header}eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\ndocker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n`,
  );

  it('reads /proc/net/route', () => {
    assert.deepEqual(
      routes.map((route) => [route.interfaceName, formatSubnet(route.subnet)]),
      [
        ['eth0', '0.0.0.0/0'],
        ['docker0', '172.17.0.0/16'],
      ],
    );
  });

  it("tries Docker's pools in Docker's order, past what the host reaches already", () => {
    assert.equal(formatSubnet(SUBNET_CANDIDATES[0] ?? small), '172.17.0.0/16');
    assert.equal(SUBNET_CANDIDATES.length, 31);
    assert.equal(formatSubnet(freeSubnets(routes, [])[0] ?? small), '172.18.0.0/16');
    const wide = { interfaceName: 'vpn0', subnet: parseSubnet('172.16.0.0/12') };
    assert.equal(formatSubnet(freeSubnets([wide], [])[0] ?? small), '192.168.0.0/20');
  });

  it('does not cut the host off from its nameservers', () => {
    const nameservers = parseNameservers(
      'nameserver 172.17.3.1\nnameserver ::1\nnameserver 999.1.1.1\n# nameserver 172.18.0.1\n',
    );
    assert.deepEqual(nameservers.map(formatAddress), ['172.17.3.1']);
    assert.equal(formatSubnet(freeSubnets([], nameservers)[0] ?? small), '172.18.0.0/16');
  });
});

describe('ipv4', () => {
  it('reads back every address and subnet it writes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 32 }),
        (address, prefixLength) => {
          assert.equal(parseAddress(formatAddress(address)), address);
          const base = address - (address % 2 ** (32 - prefixLength));
          const subnet = parseSubnet(formatSubnet({ base, prefixLength }));
          assert.deepEqual(subnet, { base, prefixLength });
          assert.ok(contains(subnet, address));
          assert.ok(overlap(subnet, { base: address, prefixLength: 32 }));
          assert.equal(overlap(subnet, { base: base + sizeOf(subnet), prefixLength }), false);
        },
      ),
    );
  });

  for (const text of ['', '1.2.3', '1.2.3.256', 'a.b.c.d', '1.2.3.4.5']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseAddress(text), RangeError));
  }
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.1/24', '10.0.0.0/x']) {
    it(`refuses the subnet ${text}`, () => assert.throws(() => parseSubnet(text), RangeError));
  }

  it("gives Docker's MAC addresses", () => assert.equal(macOf(parseAddress('172.17.0.2')), '02:42:ac:11:00:02'));
});
