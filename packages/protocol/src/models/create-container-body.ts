import { goStruct, joinEntries, orEmpty, type WireSchema } from '../codec/go-schema.ts';
import { containerConfigEntries, type ContainerConfig, type ContainerConfigInput } from './container-config.ts';
import { hostConfigSchema, type HostConfig, type HostConfigInput } from './host-config.ts';
import { networkingConfigSchema, type NetworkingConfig } from './networking-config.ts';
import type { WireInput } from '../codec/go-schema.ts';

/** The body of a create: the config at the top level, with the host's and the networks' part beside it. */
export interface CreateContainerBody extends ContainerConfig {
  readonly HostConfig: HostConfig;
  readonly NetworkingConfig: NetworkingConfig;
}

/** What a client may send: everything optional. */
export type CreateContainerBodyInput = ContainerConfigInput & {
  readonly HostConfig?: HostConfigInput | null | undefined;
  readonly NetworkingConfig?: WireInput<NetworkingConfig> | null | undefined;
};

export const createContainerBodySchema: WireSchema<CreateContainerBody, CreateContainerBodyInput> =
  goStruct<CreateContainerBody>(
    'CreateRequest',
    joinEntries(containerConfigEntries, {
      HostConfig: orEmpty(hostConfigSchema),
      NetworkingConfig: orEmpty(networkingConfigSchema),
    }),
  );

/** The config alone, without the host's and the networks' part. */
export function configOf(body: CreateContainerBody): ContainerConfig {
  const { HostConfig: _host, NetworkingConfig: _networking, ...config } = body;
  return config;
}

/** Answer to a create. */
export interface CreateContainerResponse {
  readonly Id: string;
  /** Never null: the docker CLI prints each. */
  readonly Warnings: readonly string[];
}
