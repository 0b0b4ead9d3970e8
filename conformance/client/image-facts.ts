import assert from 'node:assert/strict';
import { RequestFailedError } from '@fairlead/client';
import type { ClientSession, Fact } from './client-session.ts';
import { chunksOf, whole } from './tar-files.ts';

/** Images: saved, loaded, named, removed. */
export function imageFacts(session: ClientSession, fact: Fact): void {
  fact('they are saved, one or several, and loaded', async () => {
    const { images } = session.client;
    const names = [`saved-${session.name()}:1`, `saved-${session.name()}:2`];
    for (const name of names) await images.tag('busybox', { repo: name.split(':')[0] ?? '', tag: name.split(':')[1] });
    const [one, both] = [await whole(images.save(names[0] ?? '')), await whole(images.save(names))];
    assert.ok(both.byteLength > 10_000 && one.byteLength > 10_000);
    for (const name of names) await images.remove(name);
    const loaded = await images.load(chunksOf(both));
    assert.deepEqual(loaded.map((name) => name.replace('docker.io/library/', '')).sort(), names);
    for (const name of names) assert.match((await images.inspect(name)).Id, /[0-9a-f]{64}/);
  });

  fact('a tar that is none is refused', async () => {
    await assert.rejects(Promise.resolve(session.client.images.load(chunksOf(Buffer.from('no tar'.repeat(1000))))));
  });

  fact('an image that is not there is not saved', async () => {
    await assert.rejects(whole(session.client.images.save('no-such-image')), { kind: 'not-found' });
  });

  fact('they have a history, tags, and are removed and pruned', async () => {
    const { images } = session.client;
    const repo = `tagged-${session.name()}`;
    await images.tag('busybox', { repo, tag: 'x' });
    assert.ok((await images.history(`${repo}:x`)).length > 0);
    const removed = await images.remove(`${repo}:x`);
    assert.ok(removed.some((entry) => 'Untagged' in entry && entry.Untagged.endsWith(`${repo}:x`)));
    assert.equal(typeof (await images.prune()).SpaceReclaimed, 'number');
    await assert.rejects(images.inspect('../x?y'), { kind: 'invalid-argument' });
    await assert.rejects(images.inspect('a/x?y'), RequestFailedError);
  });
}
