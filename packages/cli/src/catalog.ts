import type { CatalogEntry } from './catalog/catalog-entry.ts';
import { CONTAINER_FILE_ENTRIES, CONTAINER_RESOURCE_ENTRIES } from './catalog/container-entries.ts';
import { IMAGE_TRANSFER_ENTRIES } from './catalog/image-entries.ts';
import { NETWORK_ENTRIES, PRUNE_ENTRIES, VOLUME_ENTRIES } from './catalog/resource-entries.ts';

/** Every command, in the order of the help. */
export const CATALOG: readonly CatalogEntry[] = [
  {
    names: ['run', 'container run'],
    summary: 'Create and run a new container from an image',
    load: async () => (await import('./commands/container/run.ts')).runCommand,
  },
  {
    names: ['exec', 'container exec'],
    summary: 'Execute a command in a running container',
    load: async () => (await import('./commands/container/exec.ts')).execCommand,
  },
  {
    names: ['ps', 'container ls', 'container list', 'container ps'],
    summary: 'List containers',
    load: async () => (await import('./commands/container/ps.ts')).psCommand,
  },
  {
    names: ['create', 'container create'],
    summary: 'Create a new container',
    load: async () => (await import('./commands/container/create.ts')).createCommand,
  },
  {
    names: ['start', 'container start'],
    summary: 'Start one or more stopped containers',
    load: async () => (await import('./commands/container/start.ts')).startCommand,
  },
  {
    names: ['stop', 'container stop'],
    summary: 'Stop one or more running containers',
    load: async () => (await import('./commands/container/stop.ts')).stopCommand,
  },
  {
    names: ['restart', 'container restart'],
    summary: 'Restart one or more containers',
    load: async () => (await import('./commands/container/restart.ts')).restartCommand,
  },
  {
    names: ['kill', 'container kill'],
    summary: 'Kill one or more running containers',
    load: async () => (await import('./commands/container/kill.ts')).killCommand,
  },
  {
    names: ['wait', 'container wait'],
    summary: 'Block until one or more containers stop, then print their exit codes',
    load: async () => (await import('./commands/container/wait.ts')).waitCommand,
  },
  {
    names: ['attach', 'container attach'],
    summary: 'Attach local standard input, output, and error streams to a running container',
    load: async () => (await import('./commands/container/attach.ts')).attachCommand,
  },
  {
    names: ['logs', 'container logs'],
    summary: 'Fetch the logs of a container',
    load: async () => (await import('./commands/container/logs.ts')).logsCommand,
  },
  {
    names: ['top', 'container top'],
    summary: 'Display the running processes of a container',
    load: async () => (await import('./commands/container/top.ts')).topCommand,
  },
  {
    names: ['pause', 'container pause'],
    summary: 'Pause all processes within one or more containers',
    load: async () => (await import('./commands/container/pause.ts')).pauseCommand,
  },
  {
    names: ['unpause', 'container unpause'],
    summary: 'Unpause all processes within one or more containers',
    load: async () => (await import('./commands/container/unpause.ts')).unpauseCommand,
  },
  {
    names: ['rename', 'container rename'],
    summary: 'Rename a container',
    load: async () => (await import('./commands/container/rename.ts')).renameCommand,
  },
  {
    names: ['rm', 'container rm', 'container remove'],
    summary: 'Remove one or more containers',
    load: async () => (await import('./commands/container/rm.ts')).rmCommand,
  },
  ...CONTAINER_FILE_ENTRIES,
  ...CONTAINER_RESOURCE_ENTRIES,
  {
    names: ['inspect'],
    summary: 'Return low-level information on containers, images, networks and volumes',
    load: async () => (await import('./commands/system/inspect.ts')).inspectCommand,
  },
  {
    names: ['images', 'image ls', 'image list'],
    summary: 'List images',
    load: async () => (await import('./commands/image/images.ts')).imagesCommand,
  },
  {
    names: ['load', 'image load'],
    summary: 'Load an image from a tar archive or STDIN',
    load: async () => (await import('./commands/image/load.ts')).loadCommand,
  },
  {
    names: ['import', 'image import'],
    summary: 'Import the contents from a tarball to create a filesystem image',
    load: async () => (await import('./commands/image/import.ts')).importCommand,
  },
  {
    names: ['tag', 'image tag'],
    summary: 'Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE',
    load: async () => (await import('./commands/image/tag.ts')).tagCommand,
  },
  {
    names: ['rmi', 'image rm', 'image remove'],
    summary: 'Remove one or more images',
    load: async () => (await import('./commands/image/rmi.ts')).rmiCommand,
  },
  {
    names: ['history', 'image history'],
    summary: 'Show the history of an image',
    load: async () => (await import('./commands/image/history.ts')).historyCommand,
  },
  ...IMAGE_TRANSFER_ENTRIES,
  ...VOLUME_ENTRIES,
  ...NETWORK_ENTRIES,
  ...PRUNE_ENTRIES,
  {
    names: ['operations', 'system operations'],
    summary: 'Show who asked the engine for what, and how it ended',
    load: async () => (await import('./commands/system/operations.ts')).operationsCommand,
  },
  {
    names: ['trace', 'system trace'],
    summary: 'Run a Docker client, and show what it and the engine said to each other, and what went wrong',
    load: async () => (await import('./commands/system/trace.ts')).traceCommand,
  },
  {
    names: ['events', 'system events'],
    summary: 'Get real time events from the engine',
    load: async () => (await import('./commands/system/events.ts')).eventsCommand,
  },
  {
    names: ['info', 'system info'],
    summary: 'Display system-wide information',
    load: async () => (await import('./commands/system/info.ts')).infoCommand,
  },
  {
    names: ['version'],
    summary: 'Show the version of this program and of the engine',
    load: async () => (await import('./commands/system/version.ts')).versionCommand,
  },
  {
    names: ['system dial-stdio'],
    summary: 'Join standard input and output to the engine: for clients that come by ssh',
    load: async () => (await import('./commands/system/dial-stdio.ts')).dialStdioCommand,
  },
  {
    names: ['engine'],
    summary: 'Run the engine in the foreground',
    load: async () => (await import('./commands/system/engine.ts')).engineCommand,
  },
  {
    names: ['agent', 'fleet agent'],
    summary: 'Put this host into a fleet',
    load: async () => (await import('./commands/fleet/agent.ts')).agentCommand,
  },
  {
    names: ['up', 'fleet up'],
    summary: 'Run engine, NATS, hub and agent on this machine',
    load: async () => (await import('./commands/fleet/up.ts')).upCommand,
  },
  {
    names: ['hub', 'fleet hub'],
    summary: 'Run a fleet’s hub in the foreground',
    load: async () => (await import('./commands/fleet/hub.ts')).hubCommand,
  },
  {
    names: ['hosts', 'fleet hosts'],
    summary: 'List the hosts of the fleet',
    load: async () => (await import('./commands/fleet/hosts.ts')).hostsCommand,
  },
  {
    names: ['fleet run'],
    summary: 'Have many hosts do the same, in batches',
    load: async () => (await import('./commands/fleet/fleet-run.ts')).fleetRunCommand,
  },
  {
    names: ['fleet operation'],
    summary: 'Show, follow or cancel an operation of the fleet',
    load: async () => (await import('./commands/fleet/fleet-operation.ts')).fleetOperationCommand,
  },
  {
    names: ['fleet host'],
    summary: 'Remove, rename or label a host',
    load: async () => (await import('./commands/fleet/fleet-host.ts')).fleetHostCommand,
  },
  {
    names: ['fleet token'],
    summary: 'Make tokens that put hosts into the fleet',
    load: async () => (await import('./commands/fleet/fleet-token.ts')).fleetTokenCommand,
  },
  {
    names: ['fleet user'],
    summary: 'Say who may do what in the fleet',
    load: async () => (await import('./commands/fleet/fleet-user.ts')).fleetUserCommand,
  },
  {
    names: ['fleet recording'],
    summary: 'List and get what hosts have recorded of sessions',
    load: async () => (await import('./commands/fleet/fleet-recording.ts')).fleetRecordingCommand,
  },
  {
    names: ['fleet audit'],
    summary: 'Show who asked the hub for what',
    load: async () => (await import('./commands/fleet/fleet-audit.ts')).fleetAuditCommand,
  },
];

/** The words that only stand in front of others: `container`, `image`, `system`. */
export const GROUPS: ReadonlySet<string> = new Set(
  CATALOG.flatMap(({ names }) => names.flatMap((name) => (name.includes(' ') ? [name.split(' ')[0] ?? ''] : []))),
);

/** Finds a command by the words typed; `rest` are those behind its name. */
export function findCommand(
  words: readonly string[],
): { readonly entry: CatalogEntry; readonly name: string; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const entry = CATALOG.find(({ names }) => names.includes(name));
    if (entry !== undefined && words.length >= length) return { entry, name, rest: words.slice(length) };
  }
  return undefined;
}
