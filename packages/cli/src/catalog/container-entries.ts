import type { CatalogEntry } from './catalog-entry.ts';

/** The files of containers. */
export const CONTAINER_FILE_ENTRIES: readonly CatalogEntry[] = [
  {
    names: ['cp', 'container cp'],
    summary: 'Copy files/folders between a container and the local filesystem',
    load: async () => (await import('../commands/container/cp.ts')).cpCommand,
  },
  {
    names: ['diff', 'container diff'],
    summary: "Inspect changes to files or directories on a container's filesystem",
    load: async () => (await import('../commands/container/diff.ts')).diffCommand,
  },
  {
    names: ['export', 'container export'],
    summary: "Export a container's filesystem as a tar archive",
    load: async () => (await import('../commands/container/export.ts')).exportCommand,
  },
  {
    names: ['commit', 'container commit'],
    summary: "Create a new image from a container's changes",
    load: async () => (await import('../commands/container/commit.ts')).commitCommand,
  },
];

/** What containers use, and what they may. */
export const CONTAINER_RESOURCE_ENTRIES: readonly CatalogEntry[] = [
  {
    names: ['port', 'container port'],
    summary: 'List port mappings or a specific mapping for the container',
    load: async () => (await import('../commands/container/port.ts')).portCommand,
  },
  {
    names: ['stats', 'container stats'],
    summary: 'Display a live stream of container(s) resource usage statistics',
    load: async () => (await import('../commands/container/stats.ts')).statsCommand,
  },
  {
    names: ['update', 'container update'],
    summary: 'Update configuration of one or more containers',
    load: async () => (await import('../commands/container/update.ts')).updateCommand,
  },
  {
    names: ['container inspect'],
    summary: 'Display detailed information on one or more containers',
    load: async () => (await import('../commands/system/inspect.ts')).inspectOnly('container'),
  },
];
