import type { WireSchema } from './codec/go-schema.ts';
import { containerConfigSchema, type ContainerConfig, type ContainerConfigInput } from './models/container-config.ts';
import {
  createContainerBodySchema,
  type CreateContainerBody,
  type CreateContainerBodyInput,
} from './models/create-container-body.ts';
import { execConfigSchema, execStartSchema, type ExecConfig, type ExecStart } from './models/exec-config.ts';
import {
  connectNetworkBodySchema,
  createNetworkBodySchema,
  disconnectNetworkBodySchema,
  type ConnectNetworkBody,
  type CreateNetworkBody,
  type DisconnectNetworkBody,
} from './models/network.ts';
import { registryAuthBodySchema, type RegistryAuthBody } from './models/registry.ts';
import {
  updateContainerBodySchema,
  type UpdateContainerBody,
  type UpdateContainerBodyInput,
} from './models/update-container-body.ts';
import { createVolumeBodySchema, type CreateVolumeBody } from './models/volume.ts';

/** What the JSON bodies of requests are, by name. */
export interface BodySchemas {
  readonly 'create container': WireSchema<CreateContainerBody, CreateContainerBodyInput>;
  readonly 'update container': WireSchema<UpdateContainerBody, UpdateContainerBodyInput>;
  readonly 'commit container': WireSchema<ContainerConfig, ContainerConfigInput>;
  readonly 'create exec': WireSchema<ExecConfig>;
  readonly 'start exec': WireSchema<ExecStart>;
  readonly 'create network': WireSchema<CreateNetworkBody>;
  readonly 'connect network': WireSchema<ConnectNetworkBody>;
  readonly 'disconnect network': WireSchema<DisconnectNetworkBody>;
  readonly 'create volume': WireSchema<CreateVolumeBody>;
  readonly 'registry login': WireSchema<RegistryAuthBody>;
}

/**
 * The schemas themselves. They stand beside the endpoint table and not in it: who only asks carries none of them along, nor the library
 * that they are made with.
 */
export const BODY_SCHEMAS: BodySchemas = {
  'create container': createContainerBodySchema,
  'update container': updateContainerBodySchema,
  'commit container': containerConfigSchema,
  'create exec': execConfigSchema,
  'start exec': execStartSchema,
  'create network': createNetworkBodySchema,
  'connect network': connectNetworkBodySchema,
  'disconnect network': disconnectNetworkBodySchema,
  'create volume': createVolumeBodySchema,
  'registry login': registryAuthBodySchema,
};
