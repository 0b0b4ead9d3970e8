import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { EngineUnderTest } from '../engines.ts';
import { compare } from './compare.ts';
import { runScene } from './run-scene.ts';
import { PARENT_CGROUP } from './scenes/effects.ts';
import { SCENES } from './scenes.ts';

/** Fewer would not be worth the name. */
const PAIRS_MIN = 400;

describe('the same requests to dockerd and to Fairlead', () => {
  let engines: readonly [EngineUnderTest, EngineUnderTest];
  let pairs = 0;

  before(async () => {
    engines = await Promise.all([EngineUnderTest.start('dockerd'), EngineUnderTest.start('fairlead')]);
  });

  after(async () => {
    for (const engine of engines ?? []) await engine[Symbol.asyncDispose]();
    removeParentCgroups();
  });

  for (const scene of SCENES) {
    it(`${scene.name}: answered alike, but for what is meant`, async () => {
      const [dockerd, fairlead] = await Promise.all(engines.map((engine) => runScene(engine, scene)));
      const found = scene.steps.flatMap((step, index) => {
        const [theirs, ours] = [dockerd?.[index], fairlead?.[index]];
        assert.ok(theirs !== undefined && ours !== undefined);
        pairs += 1;
        if (scene.refusedBecause !== undefined)
          return index === 0 && ours.status < 400 ? [{ step: step.target, at: 'status' }] : [];
        return compare(step, theirs, ours).unexplained.map((difference) => ({ step: step.target, ...difference }));
      });
      assert.deepEqual(found, []);
    });
  }

  it('each loads what the other has saved', async () => {
    for (const [from, to] of [engines, engines.toReversed()]) {
      assert.ok(from !== undefined && to !== undefined);
      const id = await from.docker.ok('inspect', '-f', '{{.Id}}', 'busybox');
      const name = `from-${from.kind}:1`;
      await from.docker.ok('tag', 'busybox', name);
      const path = join(from.directory, 'saved.tar');
      await from.docker.ok('save', '-o', path, name);
      assert.equal(await to.docker.ok('load', '-i', path), `Loaded image: ${name}`);
      assert.equal(await to.docker.ok('inspect', '-f', '{{.Id}}', name), id);
    }
  });

  it(`compares at least ${PAIRS_MIN} pairs`, () => assert.ok(pairs >= PAIRS_MIN, `${pairs} pairs`));
});

/** The parents that a scene names for its container's cgroup: runtimes make them, and take none away. */
function removeParentCgroups(): void {
  for (const controller of readdirSync('/sys/fs/cgroup')) {
    for (const parent of [PARENT_CGROUP, dirname(PARENT_CGROUP)]) {
      const path = join('/sys/fs/cgroup', controller, parent);
      if (existsSync(path)) rmdirSync(path);
    }
  }
}
