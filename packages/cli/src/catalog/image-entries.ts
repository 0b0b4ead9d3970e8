import type { CatalogEntry } from './catalog-entry.ts';

/** Images, from and to elsewhere. */
export const IMAGE_TRANSFER_ENTRIES: readonly CatalogEntry[] = [
  {
    names: ['pull', 'image pull'],
    summary: 'Download an image from a registry',
    load: async () => (await import('../commands/image/pull.ts')).pullCommand,
  },
  {
    names: ['push', 'image push'],
    summary: 'Upload an image to a registry',
    load: async () => (await import('../commands/image/push.ts')).pushCommand,
  },
  {
    names: ['build', 'image build'],
    summary: 'Build an image from a Dockerfile',
    load: async () => (await import('../commands/image/build.ts')).buildCommand,
  },
  {
    names: ['save', 'image save'],
    summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
    load: async () => (await import('../commands/image/save.ts')).saveCommand,
  },
  {
    names: ['image inspect'],
    summary: 'Display detailed information on one or more images',
    load: async () => (await import('../commands/system/inspect.ts')).inspectOnly('image'),
  },
  {
    names: ['login'],
    summary: 'Authenticate to a registry',
    load: async () => (await import('../commands/registry/login.ts')).loginCommand,
  },
  {
    names: ['logout'],
    summary: 'Log out from a registry',
    load: async () => (await import('../commands/registry/logout.ts')).logoutCommand,
  },
];
