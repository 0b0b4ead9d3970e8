import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { claimPort } from './port-claim.ts';

/** One that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('claimPort', () => {
  it('keeps a TCP port from other programs until it is disposed', async () => {
    const port = await freePort();
    {
      await using _claim = await claimPort({ protocol: 'tcp', address: '0.0.0.0', port });
      const other = createServer().listen(port, '127.0.0.1');
      const [error] = await once(other, 'error');
      assert.equal(error.code, 'EADDRINUSE');
    }
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    other.close();
  });

  it('serves nobody', async () => {
    const port = await freePort();
    await using _claim = await claimPort({ protocol: 'tcp', address: '127.0.0.1', port });
    const client = connect(port, '127.0.0.1');
    const [error] = await once(client, 'error');
    assert.equal(error.code, 'ECONNRESET');
  });

  it('keeps a UDP port, which is another than the TCP port of its number', async () => {
    const port = await freePort();
    await using _tcp = await claimPort({ protocol: 'tcp', address: '0.0.0.0', port });
    await using _udp = await claimPort({ protocol: 'udp', address: '0.0.0.0', port });
    const other = createSocket('udp4').bind(port);
    const [error] = await once(other, 'error');
    assert.equal(error.code, 'EADDRINUSE');
    other.close();
  });

  for (const protocol of ['tcp', 'udp'] as const) {
    it(`fails for an address that is not the host's, and for a port in use (${protocol})`, async () => {
      const port = await freePort();
      const foreign = claimPort({ protocol, address: '192.0.2.200', port });
      await assert.rejects(foreign, { code: 'EADDRNOTAVAIL' });
      await using _claim = await claimPort({ protocol, address: '127.0.0.1', port });
      await assert.rejects(claimPort({ protocol, address: '127.0.0.1', port }), { code: 'EADDRINUSE' });
    });
  }

  it('knows nothing of SCTP', async () => {
    await using _claim = await claimPort({ protocol: 'sctp', address: '0.0.0.0', port: 1 });
  });
});
