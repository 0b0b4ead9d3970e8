import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerId } from '@fairlead/protocol';
import { memoryTable } from '../ports/memory-records.ts';
import { ContainerActor, type ContainerActorDeps } from './actor.ts';
import { ContainerDirectory } from './directory.ts';
import { generateName, validName } from './name.ts';
import { recordOf } from './record.fixture.ts';
import type { ContainerRecord } from './record.ts';

function scene(...names: readonly string[]): ContainerDirectory {
  const directory = new ContainerDirectory(memoryTable<ContainerRecord>());
  // Nothing of it is called: the directory only keeps actors.
  const deps = {} as ContainerActorDeps;
  for (const [index, name] of names.entries()) {
    const id = containerId((index === 0 ? 'ab' : 'ac').padEnd(64, index.toString()));
    directory.reserveName(name, id);
    directory.add(new ContainerActor(recordOf({ id, name }), deps));
  }
  return directory;
}

describe('ContainerDirectory', () => {
  const directory = scene('web', 'ac1', 'db');
  const [web, named, db] = directory.all();

  const found: readonly (readonly [string, unknown])[] = [
    ['web', web],
    ['/web', web],
    [web?.id ?? '', web],
    ['ab', web],
    ['ab0', web],
    ['ac1', named],
    ['ac2', db],
  ];
  for (const [ref, actor] of found) it(`finds ${ref.slice(0, 8)}`, () => assert.equal(directory.resolve(ref), actor));

  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /^invalid name or ID supplied: ""$/],
    ['nosuch', /^No such container: nosuch$/],
    ['a', /^multiple IDs found with provided prefix: a$/],
    ['WEB', /^No such container: WEB$/],
    ['we', /^No such container: we$/],
    ['../web', /^No such container: \.\.\/web$/],
  ];
  for (const [ref, message] of refused) {
    it(`refuses ${JSON.stringify(ref)}`, () => assert.throws(() => directory.resolve(ref), { message }));
  }

  it('keeps a name from the moment it is reserved, so that two creates at once never get the same', () => {
    const names = new ContainerDirectory(memoryTable<ContainerRecord>());
    const id = containerId('1'.repeat(64));
    names.reserveName('taken', id);
    assert.equal(names.isNameTaken('taken'), true);
    assert.throws(
      () => names.reserveName('taken', containerId('2'.repeat(64))),
      /Conflict\. The container name "\/taken"/,
    );
    names.releaseName('taken', id);
    assert.equal(names.isNameTaken('taken'), false);
  });
});

describe('generateName', () => {
  it('goes on until a name is free', () => {
    const taken = new Set<string>();
    for (let count = 0; count < 20_000; count += 1) {
      const name = generateName((candidate) => taken.has(candidate));
      assert.equal(taken.has(name), false);
      assert.equal(validName(name), name);
      taken.add(name);
    }
  });
});
