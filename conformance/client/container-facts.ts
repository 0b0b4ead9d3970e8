import assert from 'node:assert/strict';
import { filters, RequestFailedError, summarizeStats } from '@fairlead/client';
import type { ClientSession, Fact } from './client-session.ts';
import { filesIn, oneFile } from './tar-files.ts';

/** The files of containers. */
export function containerFileFacts(session: ClientSession, fact: Fact): void {
  fact('a file goes in and comes out again, with what it is', async () => {
    const { containers } = session.client;
    const name = await session.running();
    await containers.copyTo(name, { path: '/tmp', tar: oneFile('a b?.txt', 'hello') });
    assert.equal(String((await containers.exec(name, ['cat', '/tmp/a b?.txt'])).stdout), 'hello');
    const stat = await containers.stat(name, '/tmp/a b?.txt');
    assert.deepEqual([stat.name, stat.size, stat.mode & 0o777], ['a b?.txt', 5, 0o640]);
    const { stat: again, tar } = await containers.copyFrom(name, '/tmp/a b?.txt');
    assert.equal(again.size, 5);
    assert.deepEqual(await filesIn(tar), new Map([['a b?.txt', 'hello']]));
  });

  fact('a path that is not there is not found, with words, however it is asked for', async () => {
    const { containers } = session.client;
    const name = await session.made();
    const asks = [() => containers.stat(name, '/nope'), () => containers.copyFrom(name, '/nope')];
    for (const ask of asks) {
      await assert.rejects(ask(), (error: Error) => {
        assert.ok(error instanceof RequestFailedError);
        assert.equal(error.kind, 'not-found');
        assert.match(error.message, /nope|no such/i);
        return true;
      });
    }
  });

  fact('an archive that nobody reads is let go', async () => {
    const name = await session.made();
    await using tar = (await session.client.containers.copyFrom(name, '/bin')).tar;
    for await (const _ of tar) break;
  });
}

/** What containers changed, and what is made of them. */
export function containerChangeFacts(session: ClientSession, fact: Fact): void {
  fact('changes are told', async () => {
    const { containers } = session.client;
    const name = await session.running({}, [
      'sh',
      '-c',
      'echo x > /new; rm /etc/group; echo y >> /etc/passwd; sleep 1000',
    ]);
    const expected = ['A /new', 'C /etc', 'C /etc/passwd', 'D /etc/group'];
    for (;;) {
      const found = (await containers.changes(name)).map(({ Path, Kind }) => `${'CAD'[Kind]} ${Path}`);
      if (!found.includes('C /etc/passwd')) continue;
      assert.deepEqual(
        expected.filter((line) => !found.includes(line)),
        [],
      );
      return;
    }
  });

  fact('none is an empty list', async () => {
    assert.deepEqual(await session.client.containers.changes(await session.made()), []);
  });

  fact('its files are exported, and imported', async () => {
    const { containers, images } = session.client;
    const name = await session.made();
    const id = await images.import(containers.export(name), { repo: `imported-${name}:1`, changes: ['CMD ["true"]'] });
    assert.match(id ?? '', /[0-9a-f]{64}/);
    assert.deepEqual((await images.inspect(`imported-${name}:1`)).Config?.Cmd, ['true']);
  });

  fact('it becomes an image', async () => {
    const { containers, images } = session.client;
    const name = await session.made();
    const { Id } = await containers.commit(name, {
      name: `committed-${name}:v1`,
      author: 'Ada',
      comment: 'so',
      changes: ['ENV A=b'],
    });
    const image = await images.inspect(`committed-${name}:v1`);
    assert.ok(image.Id.includes(Id.replace('sha256:', '')));
    assert.deepEqual([image.Author, image.Config?.Env?.includes('A=b')], ['Ada', true]);
  });
}

/** Containers: their figures, limits and names. */
export function containerFacts(session: ClientSession, fact: Fact): void {
  fact('figures come one after the other, and once', async () => {
    const { containers } = session.client;
    const name = await session.running({}, ['sh', '-c', 'while :; do :; done']);
    const seen: string[] = [];
    for await (const stats of containers.stats(name)) {
      seen.push(stats.read);
      if (seen.length === 2) break;
    }
    assert.notEqual(seen[0], seen[1]);
    const { cpuPercent, memoryUsedBytes, processes } = summarizeStats(await containers.statsOnce(name));
    assert.ok(cpuPercent > 0 && memoryUsedBytes > 0 && processes >= 1, `${cpuPercent} ${memoryUsedBytes} ${processes}`);
  });

  fact('limits are changed', async () => {
    const { containers } = session.client;
    const name = await session.running();
    await containers.update(name, { Memory: 64 << 20, MemorySwap: 128 << 20, CpuShares: 512 });
    const { HostConfig } = await containers.inspect(name);
    assert.deepEqual([HostConfig.Memory, HostConfig.CpuShares], [64 << 20, 512]);
  });

  fact('those that have ended are pruned, by filters', async () => {
    const { containers } = session.client;
    const name = await session.made({ Labels: { prune: 'me' } });
    const report = await containers.prune({ filters: filters({ label: 'prune=me' }) });
    assert.equal(report.ContainersDeleted?.length, 1);
    await assert.rejects(containers.inspect(name), { kind: 'not-found' });
  });

  fact('a hostile name is one that there is not', async () => {
    for (const name of ['../x?y', 'a/b', '%2e%2e', 'ü', 'x#y']) {
      await assert.rejects(session.client.containers.inspect(name), (error: Error) => {
        assert.ok(error instanceof RequestFailedError);
        assert.ok(['not-found', 'invalid-argument'].includes(error.kind), `${name}: ${error.message}`);
        return true;
      });
    }
  });

  fact('a second start is a result', async () => {
    const name = await session.running();
    assert.equal((await session.client.containers.start(name)).changed, false);
  });

  fact('a taken name is a conflict', async () => {
    const { containers } = session.client;
    const name = await session.made();
    await assert.rejects(containers.create({ Image: 'busybox' }, { name }), { kind: 'conflict' });
  });
}
