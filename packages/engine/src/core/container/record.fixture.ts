import { createContainerBodySchema, decodeBody, imageId, type ContainerId } from '@fairlead/protocol';
import { CONTAINER_RECORD_VERSION, type ContainerRecord } from './record.ts';

/** A container that was created and never ran, for tests. */
export function recordOf(facts: {
  readonly id: ContainerId;
  readonly name: string;
  readonly autoRemove?: boolean;
}): ContainerRecord {
  const text = JSON.stringify({
    Image: 'busybox',
    Cmd: ['true'],
    HostConfig: { AutoRemove: facts.autoRemove === true },
  });
  const { HostConfig: hostConfig, NetworkingConfig: _none, ...config } = decodeBody(createContainerBodySchema, text);
  return {
    version: CONTAINER_RECORD_VERSION,
    id: facts.id,
    name: facts.name,
    createdAt: new Date('2026-01-01T00:00:00Z'),
    imageId: imageId(`sha256:${'0'.repeat(64)}`),
    layerIds: [],
    config,
    hostConfig,
    state: { status: 'created', failure: null },
  };
}
