import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { RawConnection } from '../raw-http.ts';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

const HAMMER_MS = 3_000;
/** Closing is not awaited by the one who hangs up. */
const SETTLE_WITHIN_MS = 5_000;
const MIB: number = 1024 * 1024;

function descriptors(session: Session): readonly string[] {
  const directory = `/proc/${session.engine.pid}/fd`;
  return readdirSync(directory).flatMap((fd) => {
    try {
      return [readlinkSync(join(directory, fd))];
    } catch {
      // Closed between the two looks.
      return [];
    }
  });
}

/** What a view of a container's files holds open: its namespace and its places. */
function viewDescriptors(session: Session): number {
  return descriptors(session).filter((target) => target.startsWith('mnt:') || /\/merged(\/|$)/.test(target)).length;
}

function mounts(session: Session): readonly string[] {
  const lines = readFileSync(`/proc/${session.engine.pid}/mountinfo`, 'utf8').split('\n');
  return lines.filter((line) => line.includes(join(session.engine.directory, '../root')));
}

function memoryMib(session: Session): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${session.engine.pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + SETTLE_WITHIN_MS;
  while (!holds()) {
    assert.ok(performance.now() < deadline, what);
    await sleep(20);
  }
}

/** A container with a file of many bytes that takes no room. */
async function withLargeFile(session: Session): Promise<string> {
  const name = await session.background(['--network', 'none'], ['sh', '-c', 'truncate -s 2G /large; exec sleep 1000']);
  await session.docker.ok('exec', name, 'sh', '-c', 'until [ -e /large ]; do sleep 0.05; done');
  return name;
}

/** A GET whose answer is not read on from the head. */
async function stalled(session: Session, target: string): Promise<RawConnection> {
  const connection = await RawConnection.open(session.engine.socketPath);
  await connection.request(target);
  assert.equal((await connection.head()).status, 200);
  return connection;
}

sessions(
  'files of hostile containers, and of impatient clients',
  (session) => {
    it('never lead out of the container, while it swaps directories and links', async () => {
      const outside = mkdtempSync(join(session.engine.directory, 'outside-'));
      writeFileSync(join(outside, 'secret'), 'what nobody may see');
      const swap = [
        `mkdir -p /d/in ${outside.replace(/\/[^/]*$/, '')}; echo inside > /d/secret; ln -s ${outside} /evil`,
        'while :; do mv -T /d /x; mv -T /evil /d; mv -T /d /evil; mv -T /x /d; done',
      ].join('; ');
      const name = await session.background(['--network', 'none'], ['sh', '-c', swap]);
      const tar = join(outside, '../tar');
      mkdirSync(tar);
      writeFileSync(join(tar, 'planted'), 'x');
      const body = execFileSync('tar', ['--create', '--directory', tar, 'planted']);
      const deep = execFileSync('tar', ['--create', '--directory', tar, '--transform=s,^,in/,', 'planted']);
      const statuses = new Map<string, number>();
      const note = (verb: string, status: number): void => {
        statuses.set(`${verb} ${status}`, (statuses.get(`${verb} ${status}`) ?? 0) + 1);
      };
      const hammer = async (): Promise<void> => {
        for (const end = performance.now() + HAMMER_MS; performance.now() < end;) {
          const got = await session.ask(`GET /containers/${name}/archive?path=/d/`);
          note('GET', got.status);
          assert.equal(got.bytes.includes('what nobody may see'), false);
          const head = await session.ask(`HEAD /containers/${name}/archive?path=/d/secret`);
          note('HEAD', head.status);
          note('PUT', (await session.ask(`PUT /containers/${name}/archive?path=/d`, { body })).status);
          note('PUT', (await session.ask(`PUT /containers/${name}/archive?path=/`, { body: deep })).status);
        }
      };
      await Promise.all([hammer(), hammer()]);
      assert.deepEqual(readdirSync(outside), ['secret'], JSON.stringify([...statuses]));
      assert.ok((statuses.get('GET 200') ?? 0) > 0, JSON.stringify([...statuses]));
      assert.equal(existsSync('/planted'), false);
    });

    it('archives and exports devices and FIFOs without opening them', async () => {
      const name = await session.background(
        ['--network', 'none'],
        [...['sh', '-c'], 'mkdir /n && mknod /n/zero c 1 5 && mkfifo /n/fifo && touch /n/ready; exec sleep 1000'],
      );
      await session.docker.ok('exec', name, 'sh', '-c', 'until [ -e /n/ready ]; do sleep 0.05; done');
      const { bytes } = await session.ask(`GET /containers/${name}/archive?path=/n`);
      const listing = execFileSync('tar', ['--list', '--verbose'], { input: bytes, encoding: 'utf8' });
      assert.match(listing, /^crw.*1,5.*n\/zero$/m);
      assert.match(listing, /^prw.*n\/fifo$/m);
      // A FIFO as the thing itself, and as what is written through.
      assert.equal((await session.ask(`GET /containers/${name}/archive?path=/n/fifo`)).status, 200);
      assert.equal((await session.ask(`GET /containers/${name}/archive?path=/n/zero`)).status, 200);
    });

    it('hold nothing after their client has hung up', async () => {
      const name = await withLargeFile(session);
      const before = viewDescriptors(session);
      for (let turn = 0; turn < 5; turn++) {
        using connection = await stalled(session, `GET /containers/${name}/archive?path=/large`);
        assert.ok(viewDescriptors(session) > before);
        void connection;
      }
      await until('descriptors are left', () => viewDescriptors(session) === before);
      const id = await session.inspect(name, '{{.Id}}');
      await session.docker.ok('stop', '-t', '0', name);
      await until('mounts are left', () => !mounts(session).some((line) => line.includes(id)));
    });

    it('leave a stopped container unmounted, also after a hang-up', async () => {
      const name = await withLargeFile(session);
      await session.docker.ok('stop', '-t', '0', name);
      const id = await session.inspect(name, '{{.Id}}');
      const mounted = (): boolean => mounts(session).some((line) => line.includes(id));
      {
        using _connection = await stalled(session, `GET /containers/${name}/export`);
        assert.equal(mounted(), true);
      }
      await until('it stays mounted', () => !mounted());
      // In the middle of a tar.
      using put = await RawConnection.open(session.engine.socketPath);
      await put.send(
        [`PUT /containers/${name}/archive?path=/ HTTP/1.1`, 'Host: d', 'Content-Length: 1000000', '', ''].join('\r\n'),
      );
      await put.send(Buffer.alloc(512));
      await until('it was not mounted', mounted);
      put[Symbol.dispose]();
      await until('it stays mounted', () => !mounted());
    });

    it('make the engine wait for a client that does not read, not buffer', async () => {
      const name = await withLargeFile(session);
      const before = memoryMib(session);
      const connections: RawConnection[] = [];
      try {
        for (let count = 0; count < 4; count++) {
          connections.push(await stalled(session, `GET /containers/${name}/archive?path=/large`));
        }
        await sleep(1_000);
        assert.ok(memoryMib(session) - before < 100, `${memoryMib(session) - before} MiB more`);
      } finally {
        for (const connection of connections) connection[Symbol.dispose]();
      }
    });

    it('do not hold up a removal, a stop or a start', async () => {
      const name = await withLargeFile(session);
      using _one = await stalled(session, `GET /containers/${name}/archive?path=/large`);
      await session.docker.ok('stop', '-t', '0', name);
      using _other = await stalled(session, `GET /containers/${name}/export`);
      await session.docker.ok('start', name);
      assert.equal(await session.docker.ok('exec', name, 'stat', '-c', '%s', '/large'), String(2048 * MIB));
      const startedMs = performance.now();
      await session.docker.ok('rm', '-f', name);
      assert.ok(performance.now() - startedMs < 5_000);
      await until('descriptors are left', () => viewDescriptors(session) === 0);
    });

    it('are cut off, not ended, when the container is removed in the middle', async () => {
      const name = await withLargeFile(session);
      using connection = await stalled(session, `GET /containers/${name}/archive?path=/large`);
      await session.docker.ok('rm', '-f', name);
      let end: Buffer = Buffer.alloc(0);
      for await (const chunk of connection.rest()) end = Buffer.concat([end, chunk]).subarray(-5);
      // The last chunk of HTTP would say that this was all.
      assert.notEqual(end.toString('latin1'), '0\r\n\r\n');
    });
  },
  // They look at what the one engine holds.
  { kinds: FAIRLEAD_ALONE, atOnce: 1 },
);
