import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ImageRuntimeConfig } from '../image/record.ts';
import { commandOf, mergeImageConfig } from './merge-image-config.ts';
import { configWith } from './spec-request.fixture.ts';

const image: ImageRuntimeConfig = { Entrypoint: ['/entry'], Cmd: ['serve'] };

describe('mergeImageConfig', () => {
  const commands = [
    { fact: "nothing given: the image's", config: { Cmd: null }, image, command: ['/entry', 'serve'] },
    { fact: "Cmd given: the image's Entrypoint stays", config: { Cmd: ['x'] }, image, command: ['/entry', 'x'] },
    { fact: 'Cmd as a text is one word', config: { Cmd: 'a b' }, image, command: ['/entry', 'a b'] },
    {
      fact: "Entrypoint given: the image's Cmd is void",
      config: { Entrypoint: ['/mine'], Cmd: null },
      image,
      command: ['/mine'],
    },
    { fact: 'both given', config: { Entrypoint: ['/mine'], Cmd: ['x'] }, image, command: ['/mine', 'x'] },
    {
      fact: "[] as Entrypoint: none, and the image's Cmd",
      config: { Entrypoint: [], Cmd: null },
      image,
      command: ['serve'],
    },
    { fact: '[] as Entrypoint with a Cmd', config: { Entrypoint: [], Cmd: ['x'] }, image, command: ['x'] },
    { fact: '[""] as Entrypoint resets it', config: { Entrypoint: [''], Cmd: ['x'] }, image, command: ['x'] },
    { fact: "[] as Cmd takes the image's", config: { Cmd: [] }, image, command: ['/entry', 'serve'] },
    { fact: 'an image without Entrypoint', config: { Cmd: null }, image: { Cmd: ['sh'] }, command: ['sh'] },
  ];
  for (const { fact, config, image: from, command } of commands) {
    it(fact, () => assert.deepEqual(commandOf(mergeImageConfig(configWith(config), from)), command));
  }

  const refused = [
    { config: { Cmd: null }, image: {} },
    { config: { Entrypoint: [''], Cmd: null }, image },
    { config: { Entrypoint: [], Cmd: null }, image: { Entrypoint: ['/entry'] } },
  ];
  for (const { config, image: from } of refused) {
    it(`has no command with ${JSON.stringify(config)} on ${JSON.stringify(from)}`, () => {
      assert.throws(() => mergeImageConfig(configWith(config), from), { message: 'no command specified' });
    });
  }

  it('lets variables of the client win by name, and take away those of the image', () => {
    const merged = mergeImageConfig(configWith({ Env: ['B=mine', 'C'] }), { Env: ['A=1', 'B=2', 'C=3'] });
    assert.deepEqual(merged.Env, ['B=mine', 'C', 'A=1']);
    assert.deepEqual(mergeImageConfig(configWith(), { Env: ['A=1'] }).Env, ['A=1']);
    assert.equal(mergeImageConfig(configWith(), {}).Env, null);
  });

  it('merges labels, ports and volumes, and fills up single values', () => {
    const merged = mergeImageConfig(configWith({ Labels: { a: 'mine' }, ExposedPorts: { '80/tcp': {} }, User: 'me' }), {
      Labels: { a: 'image', b: 'image' },
      ExposedPorts: { '443/tcp': {} },
      Volumes: { '/data': {} },
      User: 'web',
      WorkingDir: '/srv',
      StopSignal: 'SIGINT',
    });
    assert.deepEqual(merged.Labels, { a: 'mine', b: 'image' });
    assert.deepEqual(Object.keys(merged.ExposedPorts), ['443/tcp', '80/tcp']);
    assert.deepEqual(merged.Volumes, { '/data': {} });
    assert.deepEqual([merged.User, merged.WorkingDir, merged.StopSignal], ['me', '/srv', 'SIGINT']);
  });

  it('fills a health check up field by field', () => {
    const merged = mergeImageConfig(configWith({ Healthcheck: { Interval: 5 } }), {
      Healthcheck: { Test: ['CMD', 'x'], Interval: 9, Retries: 2 },
    });
    assert.deepEqual(merged.Healthcheck, {
      Test: ['CMD', 'x'],
      Interval: 5,
      Timeout: 0,
      StartPeriod: 0,
      StartInterval: 0,
      Retries: 2,
    });
  });
});
