import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { containerConfigSchema, decodeBody, type ContainerConfig } from '@fairlead/protocol';
import { applyChanges } from '../image/import-changes.ts';
import type { ImageRuntimeConfig } from '../image/record.ts';
import { committedConfig, runtimeConfigOf } from './committed-config.ts';

function config(document: object): ContainerConfig {
  return decodeBody(containerConfigSchema, JSON.stringify(document));
}

const container = config({
  Hostname: 'h',
  Tty: true,
  Image: 'busybox',
  Env: ['PATH=/bin', 'A=1'],
  Cmd: ['sh'],
  Entrypoint: ['/init'],
  ExposedPorts: { '80/tcp': {} },
  Labels: { a: 'container', b: 'container' },
  WorkingDir: '/w',
  User: 'u',
  StopSignal: 'SIGINT',
});

describe('committedConfig', () => {
  it('takes over what an image can say, and nothing that is about one container', () => {
    assert.deepEqual(committedConfig(runtimeConfigOf(container), container), {
      User: 'u',
      ExposedPorts: { '80/tcp': {} },
      Env: ['PATH=/bin', 'A=1'],
      Entrypoint: ['/init'],
      Cmd: ['sh'],
      WorkingDir: '/w',
      Labels: { a: 'container', b: 'container' },
      StopSignal: 'SIGINT',
    });
  });

  const cases: readonly {
    readonly name: string;
    readonly asked: ImageRuntimeConfig;
    readonly part: ImageRuntimeConfig;
  }[] = [
    { name: 'an entrypoint makes the command void', asked: { Entrypoint: ['x'] }, part: { Entrypoint: ['x'] } },
    { name: 'a command keeps the entrypoint', asked: { Cmd: ['y'] }, part: { Entrypoint: ['/init'], Cmd: ['y'] } },
    { name: 'no entrypoint asked for stays none', asked: { Entrypoint: [] }, part: { Entrypoint: [], Cmd: ['sh'] } },
  ];
  for (const { name, asked, part } of cases) {
    it(name, () => {
      const { Entrypoint, Cmd } = committedConfig(asked, container);
      assert.deepEqual({ ...(Entrypoint && { Entrypoint }), ...(Cmd && { Cmd }) }, part);
    });
  }

  it('adds to variables, labels and ports', () => {
    const asked = { Env: ['A=2', 'B=3'], Labels: { a: 'asked' }, ExposedPorts: { '81/udp': {} } };
    const merged = committedConfig(asked, container);
    assert.deepEqual(merged.Env, ['A=2', 'B=3', 'PATH=/bin']);
    assert.deepEqual(merged.Labels, { a: 'asked', b: 'container' });
    assert.deepEqual(Object.keys(merged.ExposedPorts ?? {}), ['80/tcp', '81/udp']);
  });

  it('applies changes to the container’s config when no other was given', () => {
    const changed = applyChanges(runtimeConfigOf(container), ['ENV B=$A', 'WORKDIR sub', 'ENTRYPOINT ["e"]']);
    const merged = committedConfig(changed, container);
    assert.deepEqual([merged.Env, merged.WorkingDir], [['PATH=/bin', 'A=1', 'B=1'], '/w/sub']);
    assert.deepEqual([merged.Entrypoint, merged.Cmd], [['e'], undefined]);
  });
});
