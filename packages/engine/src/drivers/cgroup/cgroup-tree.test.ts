import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { spawnProgram, type Program } from '../../host/process.ts';
import { readCgroupLayout, type CgroupLayout } from './cgroup-layout.ts';
import { CgroupTree } from './cgroup-tree.ts';

describe('CgroupTree', () => {
  it('lists processes of a group and of those below it', async () => {
    await using group = await Group.make();
    const [outer, inner] = [await group.sleeper(''), await group.sleeper('/below/deeper')];
    assert.deepEqual(await group.tree.pids(group.path), [outer.pid, inner.pid]);
  });

  it('has no processes where there is no group', async () => {
    const tree = new CgroupTree(await readCgroupLayout());
    assert.deepEqual(await tree.pids('/fairlead/never-there'), []);
    await tree.thaw('/fairlead/never-there');
    await tree.remove('/fairlead/never-there');
  });

  it('removes a group with processes and groups in it from every hierarchy', async () => {
    await using group = await Group.make();
    const sleepers = [await group.sleeper(''), await group.sleeper('/below/deeper')];
    await group.tree.remove(group.path);
    for (const sleeper of sleepers) assert.equal((await sleeper.exited).exitCode, 137);
    for (const root of group.roots) assert.equal(existsSync(`${root}${group.path}`), false, root);
    await group.tree.remove(group.path);
  });

  it('leaves us where we are when a move is expected', async () => {
    const tree = new CgroupTree(await readCgroupLayout());
    const before = await readFile('/proc/self/cgroup', 'utf8');
    tree.expectMove();
    await setTimeout(50);
    assert.equal(await readFile('/proc/self/cgroup', 'utf8'), before);
  });

  it('expects moves on a host without groups, too', () => {
    new CgroupTree({ version: 1, unified: undefined, legacy: new Map() }).expectMove();
  });

  for (const path of ['', '/', '..', '/fairlead/../..']) {
    it(`refuses ${JSON.stringify(path)}, which is everybody's group`, async () => {
      const tree = new CgroupTree(await readCgroupLayout());
      await assert.rejects(tree.remove(path), { kind: 'internal' });
      await assert.rejects(tree.pids(path), { kind: 'internal' });
    });
  }
});

class Group implements AsyncDisposable {
  readonly path = `/fairlead-test-${randomBytes(8).toString('hex')}`;
  readonly tree: CgroupTree;
  readonly roots: readonly string[];
  readonly #sleepers: Program[] = [];

  constructor(layout: CgroupLayout) {
    this.tree = new CgroupTree(layout);
    this.roots = [...new Set([...layout.legacy.values(), layout.unified ?? ''])].filter((root) => root !== '');
  }

  static async make(): Promise<Group> {
    const group = new Group(await readCgroupLayout());
    for (const root of group.roots) await mkdir(`${root}${group.path}/below/deeper`, { recursive: true });
    return group;
  }

  /** A process in one of the groups; not in cpuset, whose new groups have no CPU. */
  async sleeper(below: string): Promise<Program> {
    const program = await spawnProgram('/bin/sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore'] });
    this.#sleepers.push(program);
    for (const root of this.roots) {
      if (!root.endsWith('/cpuset')) await writeFile(`${root}${this.path}${below}/cgroup.procs`, String(program.pid));
    }
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sleeper of this.#sleepers) await sleeper[Symbol.asyncDispose]();
    await this.tree.remove(this.path);
  }
}
