import type { CatalogEntry } from './catalog-entry.ts';

/** Volumes. */
export const VOLUME_ENTRIES: readonly CatalogEntry[] = [
  {
    names: ['volume create'],
    summary: 'Create a volume',
    load: async () => (await import('../commands/volume/volume-create.ts')).volumeCreateCommand,
  },
  {
    names: ['volume ls', 'volume list'],
    summary: 'List volumes',
    load: async () => (await import('../commands/volume/volume-ls.ts')).volumeLsCommand,
  },
  {
    names: ['volume inspect'],
    summary: 'Display detailed information on one or more volumes',
    load: async () => (await import('../commands/system/inspect.ts')).inspectOnly('volume'),
  },
  {
    names: ['volume rm', 'volume remove'],
    summary: 'Remove one or more volumes',
    load: async () => (await import('../commands/volume/volume-rm.ts')).volumeRmCommand,
  },
];

/** Networks. */
export const NETWORK_ENTRIES: readonly CatalogEntry[] = [
  {
    names: ['network create'],
    summary: 'Create a network',
    load: async () => (await import('../commands/network/network-create.ts')).networkCreateCommand,
  },
  {
    names: ['network ls', 'network list'],
    summary: 'List networks',
    load: async () => (await import('../commands/network/network-ls.ts')).networkLsCommand,
  },
  {
    names: ['network inspect'],
    summary: 'Display detailed information on one or more networks',
    load: async () => (await import('../commands/system/inspect.ts')).inspectOnly('network'),
  },
  {
    names: ['network rm', 'network remove'],
    summary: 'Remove one or more networks',
    load: async () => (await import('../commands/network/network-rm.ts')).networkRmCommand,
  },
  {
    names: ['network connect'],
    summary: 'Connect a container to a network',
    load: async () => (await import('../commands/network/network-connect.ts')).networkConnectCommand,
  },
  {
    names: ['network disconnect'],
    summary: 'Disconnect a container from a network',
    load: async () => (await import('../commands/network/network-connect.ts')).networkDisconnectCommand,
  },
];

/** What nobody uses, and what it takes. */
export const PRUNE_ENTRIES: readonly CatalogEntry[] = [
  {
    names: ['container prune'],
    summary: 'Remove all stopped containers',
    load: async () => (await import('../commands/prune.ts')).containerPruneCommand,
  },
  {
    names: ['image prune'],
    summary: 'Remove unused images',
    load: async () => (await import('../commands/prune.ts')).imagePruneCommand,
  },
  {
    names: ['volume prune'],
    summary: 'Remove unused local volumes',
    load: async () => (await import('../commands/prune.ts')).volumePruneCommand,
  },
  {
    names: ['network prune'],
    summary: 'Remove all unused networks',
    load: async () => (await import('../commands/prune.ts')).networkPruneCommand,
  },
  {
    names: ['system prune'],
    summary: 'Remove unused data',
    load: async () => (await import('../commands/system/system-prune.ts')).systemPruneCommand,
  },
  {
    names: ['system df'],
    summary: 'Show disk usage of the engine',
    load: async () => (await import('../commands/system/system-df.ts')).systemDfCommand,
  },
];
