import {
  buildEndpoints,
  containerEndpoints,
  containerFileEndpoints,
  type Endpoint,
  execEndpoints,
  fairleadEndpoints,
  imageEndpoints,
  networkEndpoints,
  pruneEndpoints,
  registryEndpoints,
  resourceEndpoints,
  systemEndpoints,
  volumeEndpoints,
} from '@fairlead/protocol';
import type { Client } from './client.ts';

/** A name that is another path, and a query, unless it is encoded. */
export const HOSTILE_NAME = '../x?y#z';
/** As it has to stand in a request line, where it is one segment. */
export const HOSTILE_SEGMENT = '..%2Fx%3Fy%23z';

/** What no request line may have in it. */
export const SECRET = 'hunter2';
const LOGIN = { username: 'me', password: SECRET };

/** A row of the table, and how a caller comes to it. */
export interface Verb {
  readonly title: string;
  readonly row: Endpoint;
  readonly ask: (client: Client, name: string) => Promise<unknown>;
}

async function* tar(): AsyncGenerator<Uint8Array, void, undefined> {
  yield new Uint8Array(1024);
}

const all = <T>(items: AsyncIterable<T>): Promise<readonly T[]> => Array.fromAsync(items);

/** One per row of every table, in their order; that none is missing is checked by the test. */
export const VERBS: readonly Verb[] = [
  ...verbs(containerEndpoints, {
    create: (client, name) =>
      client.containers.create({ Image: 'x', Env: [`PASSWORD=${SECRET}`] }, { name: name.replaceAll('/', '') }),
    list: (client) => client.containers.list(),
    inspect: (client, name) => client.containers.inspect(name),
    start: (client, name) => client.containers.start(name),
    stop: (client, name) => client.containers.stop(name, { graceMs: 1000, withinMs: 60_000 }),
    restart: (client, name) => client.containers.restart(name, { graceMs: 1000 }),
    kill: (client, name) => client.containers.kill(name, { stopSignal: 'TERM' }),
    pause: (client, name) => client.containers.pause(name),
    unpause: (client, name) => client.containers.unpause(name),
    wait: (client, name) => client.containers.wait(name),
    rename: (client, name) => client.containers.rename(name, 'other'),
    remove: (client, name) => client.containers.remove(name),
    attach: (client, name) => client.containers.attach(name, { tty: false }),
    logs: (client, name) => all(client.containers.logs(name)),
    resize: (client, name) => client.containers.resize(name, { rows: 1, columns: 1 }),
    top: (client, name) => client.containers.top(name),
  }),
  ...verbs(containerFileEndpoints, {
    statPath: (client, name) => client.containers.stat(name, '/a?b'),
    getArchive: (client, name) => client.containers.copyFrom(name, '/a?b'),
    putArchive: (client, name) => client.containers.copyTo(name, { path: '/a?b', tar: tar() }),
    export: (client, name) => all(client.containers.export(name)),
    changes: (client, name) => client.containers.changes(name),
    commit: (client, name) => client.containers.commit(name, { config: { Env: [`PASSWORD=${SECRET}`] } }),
  }),
  ...verbs(execEndpoints, {
    create: (client, name) => client.containers.exec(name, ['true'], { env: [`PASSWORD=${SECRET}`] }),
  }),
  ...verbs(resourceEndpoints, {
    stats: (client, name) => all(client.containers.stats(name)),
    update: (client, name) => client.containers.update(name, { Memory: 1 }),
  }),
  ...verbs(imageEndpoints, {
    load: async (client) => client.images.load(tar()),
    import: async (client) => client.images.pull('registry.example/x', { auth: LOGIN }),
    list: (client) => client.images.list(),
    inspect: (client, name) => client.images.inspect(segment(name)),
    tag: (client, name) => client.images.tag(segment(name), { repo: 'other' }),
    remove: (client, name) => client.images.remove(segment(name)),
    history: (client, name) => client.images.history(segment(name)),
    save: (client, name) => all(client.images.save([name, name])),
    saveOne: (client, name) => all(client.images.save(segment(name))),
    push: async (client) => client.images.push('registry.example/x', { auth: LOGIN }),
    search: (client, name) => client.images.search(name),
  }),
  ...verbs(buildEndpoints, {
    build: async (client) => client.images.build(tar(), { auth: new Map([['registry.example', LOGIN]]) }),
  }),
  ...verbs(registryEndpoints, {
    auth: (client) => client.system.login(LOGIN, { registry: 'registry.example' }),
    distribution: (client) => client.images.inspectRemote('registry.example/x', { auth: LOGIN }),
  }),
  ...verbs(networkEndpoints, {
    list: (client) => client.networks.list(),
    inspect: (client, name) => client.networks.inspect(name),
    create: (client) => client.networks.create({ Name: 'x', Options: { password: SECRET } }),
    remove: (client, name) => client.networks.remove(name),
    connect: (client, name) => client.networks.connect(name, 'web'),
    disconnect: (client, name) => client.networks.disconnect(name, 'web'),
  }),
  ...verbs(volumeEndpoints, {
    create: (client) => client.volumes.create({ DriverOpts: { o: `password=${SECRET}` } }),
    list: (client) => client.volumes.list(),
    inspect: (client, name) => client.volumes.inspect(name),
    remove: (client, name) => client.volumes.remove(name),
    prune: (client) => client.volumes.prune(),
  }),
  ...verbs(pruneEndpoints, {
    containers: (client) => client.containers.prune(),
    images: (client) => client.images.prune(),
    networks: (client) => client.networks.prune(),
    build: (client) => client.system.pruneBuildCache(),
  }),
  ...verbs(systemEndpoints, {
    ping: (client) => client.system.ping(),
    version: (client) => client.system.version(),
    info: (client) => client.system.info(),
    diskUsage: (client) => client.system.diskUsage(),
    events: (client) => all(client.events()),
  }),
  ...verbs(fairleadEndpoints, {
    operations: (client) => client.operations.list(),
    followOperations: (client, name) => client.operations.follow({ container: name }).then(all),
    operation: (client, name) => client.operations.inspect(name),
    waitOperation: (client, name) => client.operations.wait(name),
  }),
];

/** Rows that no verb begins with, and where a caller meets them. */
export const WITHIN_OTHERS: readonly Endpoint[] = [
  // A browser's; programs have `attach`.
  containerEndpoints.attachWebSocket,
  // The docker CLI's, for links.
  containerEndpoints.removeLink,
  // Parts of `exec`.
  execEndpoints.start,
  execEndpoints.resize,
  execEndpoints.inspect,
  // Of the negotiation.
  systemEndpoints.pingHead,
];

/** Every row there is. */
export const ALL_ROWS: readonly Endpoint[] = [
  containerEndpoints,
  containerFileEndpoints,
  execEndpoints,
  resourceEndpoints,
  imageEndpoints,
  buildEndpoints,
  registryEndpoints,
  networkEndpoints,
  volumeEndpoints,
  pruneEndpoints,
  systemEndpoints,
  fairleadEndpoints,
].flatMap((table) => Object.values<Endpoint>({ ...table }));

function verbs<T extends { readonly [K in keyof T]: Endpoint }>(
  table: T,
  asks: { readonly [K in keyof T]?: Verb['ask'] },
): readonly Verb[] {
  const rows = new Map(Object.entries<Endpoint>({ ...table }));
  return Object.entries<Verb['ask'] | undefined>({ ...asks }).flatMap(([name, ask]) => {
    const row = rows.get(name);
    if (row === undefined || ask === undefined) return [];
    return [{ title: `${row.method} ${row.path}`, row, ask }];
  });
}

/** An image's slashes stay; the rest of the name does not. */
function segment(name: string): string {
  return `registry.example/${name.replace('../', '')}`;
}
