import type { ApiVersion } from '@fairlead/protocol';

/** A test that shows an endpoint at work: its file, and its title as it is written there. */
export interface Shown {
  readonly file: string;
  readonly title: string;
}

/** What is known about an endpoint that the engine serves. */
export interface Coverage {
  readonly shownBy: Shown;
  /** What Docker does at this endpoint and Fairlead does not, with the answer to it. Absent: nothing is known to be missing. */
  readonly lacks?: readonly string[];
}

/** The API version that brought an endpoint, where it is newer than the oldest version Fairlead speaks. Source: Docker's version history. */
export const SINCE: Readonly<Record<string, ApiVersion>> = {
  ...arrivedIn('1.25', ['GET /swarm/unlockkey', 'POST /swarm/unlock']),
  ...arrivedIn('1.25', ['GET /secrets', 'POST /secrets/create', 'GET /secrets/{id}', 'DELETE /secrets/{id}']),
  ...arrivedIn('1.25', ['POST /secrets/{id}/update']),
  ...arrivedIn('1.25', ['GET /plugins', 'GET /plugins/{name...}/json', 'GET /plugins/privileges']),
  ...arrivedIn('1.25', ['POST /plugins/pull', 'POST /plugins/create', 'DELETE /plugins/{name...}']),
  ...arrivedIn('1.25', ['POST /plugins/{name...}/enable', 'POST /plugins/{name...}/disable']),
  ...arrivedIn('1.25', ['POST /plugins/{name...}/push', 'POST /plugins/{name...}/set']),
  ...arrivedIn('1.26', ['POST /plugins/{name...}/upgrade']),
  ...arrivedIn('1.29', ['GET /services/{id}/logs', 'GET /tasks/{id}/logs']),
  ...arrivedIn('1.30', ['GET /configs', 'POST /configs/create', 'GET /configs/{id}', 'DELETE /configs/{id}']),
  ...arrivedIn('1.30', ['POST /configs/{id}/update']),
  'HEAD /_ping': '1.40',
  'GET /system/df': '1.25',
  'POST /containers/prune': '1.25',
  'POST /images/prune': '1.25',
  'POST /networks/prune': '1.25',
  'POST /volumes/prune': '1.25',
  'POST /build/prune': '1.31',
  'POST /build/cancel': '1.39',
  'PUT /volumes/{name}': '1.42',
  'GET /distribution/{name...}/json': '1.30',
};

const session = (name: string, title: string): Shown => ({ file: `conformance/sessions/${name}.test.ts`, title });
const dockerode = (title: string): Shown => ({ file: 'conformance/foreign/dockerode.test.ts', title });
const dockerPy = (title: string): Shown => ({ file: 'conformance/foreign/docker-py.test.ts', title });
const api = (name: string, title: string): Shown => ({ file: `packages/engine/src/api/${name}.test.ts`, title });

/**
 * Every endpoint of the table, by method and path. `make compatibility` makes docs/compatibility.md of it; the gate refuses a row
 * without an endpoint, an endpoint without a row, and a row whose test is not there.
 */
export const COVERAGE: Readonly<Record<string, Coverage>> = {
  'POST /containers/create': {
    shownBy: session('lifecycle', 'create, start and the end of it, as ps -a shows them'),
    lacks: [
      '`EndpointsConfig.*.Links`, `EndpointsConfig.*.DriverOpts`, ports on addresses of IPv6, mounts of images, `VolumeOptions.Subpath`: 501',
    ],
  },
  'GET /containers/json': {
    shownBy: session(
      'lifecycle',
      'ps lists what runs, -a everything, and filters by name, status, label, exit code and image',
    ),
  },
  'GET /containers/{id}/json': { shownBy: session('lifecycle', 'inspect tells configuration and state') },
  'POST /containers/{id}/start': { shownBy: session('attach', 'start -a shows everything from the first byte') },
  'POST /containers/{id}/stop': {
    shownBy: session('stop', 'of two at the same time, the shorter grace wins, and both are answered'),
  },
  'POST /containers/{id}/restart': {
    shownBy: session('lifecycle', 'restart gives another process, and keeps the files'),
  },
  'POST /containers/{id}/kill': {
    shownBy: session('lifecycle', 'kill sends the signal it is given, and KILL by default'),
  },
  'POST /containers/{id}/pause': {
    shownBy: session('lifecycle', 'pause holds the processes, unpause lets them go on'),
  },
  'POST /containers/{id}/unpause': {
    shownBy: session('lifecycle', 'pause holds the processes, unpause lets them go on'),
  },
  'POST /containers/{id}/wait': {
    shownBy: session('lifecycle', 'wait answers its head at once, and its body at the end'),
  },
  'POST /containers/{id}/rename': { shownBy: session('lifecycle', 'rename keeps everything else') },
  'DELETE /containers/{id}': {
    shownBy: session('lifecycle', 'rm refuses what runs; -f kills it first'),
  },
  'DELETE /containers/{id}/{alias}': {
    shownBy: session('links', 'rm --link takes the link away and leaves both containers'),
  },
  'POST /containers/{id}/attach': {
    shownBy: session('attach', 'shows what is printed from now on, and ends with the code of the container'),
  },
  'GET /containers/{id}/attach/ws': {
    shownBy: session(
      'attach-web-socket',
      'writes to the container and reads what it says, on both streams, without frames of Docker',
    ),
  },
  'GET /containers/{id}/logs': {
    shownBy: session('logs', '-f shows what was and what comes, and ends with the container'),
    lacks: [
      'log drivers other than json-file, local and none: 400',
      'the log options `compress` and `mode=non-blocking`: without effect, with a warning',
    ],
  },
  'POST /containers/{id}/resize': {
    shownBy: session('run', '-it gives a terminal of the right size, follows a resize, and ends with the code'),
  },
  'GET /containers/{id}/top': { shownBy: session('lifecycle', 'top lists the processes as the host sees them') },
  'GET /containers/{id}/stats': {
    shownBy: session('resources', 'measures twice, a second apart, or once when asked for one shot'),
  },
  'POST /containers/{id}/update': {
    shownBy: session('resources', 'changes limits while the container runs, and for its next run'),
  },
  'POST /containers/prune': {
    shownBy: session('prune', 'container prune removes what has ended or never ran, and says how much that was'),
  },
  'HEAD /containers/{id}/archive': {
    shownBy: session('copy', 'tells facts about a path in a header, and GET adds the tar'),
  },
  'GET /containers/{id}/archive': {
    shownBy: session('copy', 'tells facts about a path in a header, and GET adds the tar'),
  },
  'PUT /containers/{id}/archive': { shownBy: session('copy', 'replaces types, unless it is told not to') },
  'GET /containers/{id}/export': { shownBy: dockerode('puts files in, asks about them, and gets them out') },
  'GET /containers/{id}/changes': {
    shownBy: session('copy', 'shows what was changed and removed, parents first, and null for nothing'),
  },
  'POST /commit': { shownBy: session('commit', 'makes an image of what a container changed, added and removed') },

  'POST /containers/{id}/exec': {
    shownBy: session('exec', 'is refused while the container is stopped, paused or unknown'),
  },
  'POST /exec/{id}/start': {
    shownBy: session('exec', 'closes the stream 2 s after the program when a child of it still holds its output'),
  },
  'POST /exec/{id}/resize': { shownBy: session('exec', 'a resize that comes before the start waits for it') },
  'GET /exec/{id}/json': {
    shownBy: session('exec', 'inspect says null before, the code after, and nothing of one that does not exist'),
  },

  'POST /images/load': {
    shownBy: session('images', 'load reads standard input, also of what is there already'),
  },
  'POST /images/create': {
    shownBy: session('images', 'import makes an image of a file system, with changes and a comment'),
    lacks: ['`fromImage`: 501, nothing is pulled', '`fromSrc` with an address: 501'],
  },
  'GET /images/json': {
    shownBy: session('images', 'images lists name, tag, short id and size'),
  },
  'GET /images/get': {
    shownBy: session('images', 'save writes an archive that load reads, with all tags of a name'),
  },
  'GET /images/{name...}/get': { shownBy: session('images', 'save refuses a name that nobody has') },
  'GET /images/{name...}/json': { shownBy: session('images', 'inspect tells what the image is') },
  'GET /images/{name...}/history': { shownBy: session('images', 'history tells the layers, newest first') },
  'POST /images/{name...}/tag': { shownBy: session('images', 'tag gives another name, rmi takes it away again') },
  'DELETE /images/{name...}': {
    shownBy: session('images', 'rmi of the last name deletes the image, and says which'),
  },
  'POST /images/prune': {
    shownBy: session('prune', 'image prune removes images without a name, with -a those without a container'),
  },

  'POST /volumes/create': {
    shownBy: session('volumes', 'create, ls, inspect and rm'),
    lacks: ['drivers other than local: 404, there are no plugins'],
  },
  'GET /volumes': { shownBy: session('volumes', 'create, ls, inspect and rm') },
  'GET /volumes/{name}': { shownBy: session('volumes', 'create, ls, inspect and rm') },
  'DELETE /volumes/{name}': {
    shownBy: session('volumes', 'refuses to remove one in use, also by a stopped container'),
  },
  'POST /volumes/prune': {
    shownBy: {
      file: 'packages/engine/src/core/volume/volumes.test.ts',
      title: 'takes anonymous ones that nobody uses, and says what that gave back',
    },
  },
  'GET /networks': { shownBy: session('networks', 'ls filters') },
  'GET /networks/{id}': {
    shownBy: session('networks', 'inspect shows who is there, by the endpoint that the container shows'),
  },
  'POST /networks/create': {
    shownBy: session('networks', 'a network of one’s own is refused clearly'),
    lacks: ['501 for every network: only `bridge`, `host` and `none` are there'],
  },
  'DELETE /networks/{id}': {
    shownBy: session('networks', 'refuses to remove, and to make again, what is there always; prunes nothing'),
    lacks: ['only `bridge`, `host` and `none` are there, and they cannot be removed'],
  },
  'POST /networks/prune': {
    shownBy: session('prune', 'system prune asks for everything and is answered'),
    lacks: ['nothing is removed: there are no networks made by the user'],
  },
  'POST /build/prune': {
    shownBy: session('prune', 'system prune asks for everything and is answered'),
    lacks: ['nothing is removed: nothing is built'],
  },

  'GET /_ping': { shownBy: api('routes/system', 'ping tells clients what they negotiate by') },
  'HEAD /_ping': { shownBy: api('routes/system', 'ping tells clients what they negotiate by') },
  'GET /version': { shownBy: session('images', 'version names client and server') },
  'GET /info': {
    shownBy: session('images', 'info counts containers and images, and says what the engine is made of'),
  },
  'GET /system/df': { shownBy: session('prune', 'system df adds it up') },
  'GET /events': { shownBy: dockerPy('hears events, live and past') },

  'GET /fairlead/operations': { shownBy: api('routes/operations', 'lists, by count and by container') },
  'GET /fairlead/operation-feed': {
    shownBy: api('routes/operations', 'follows all, or those of one container, until the client leaves'),
  },
  'GET /fairlead/operations/{id}': { shownBy: api('routes/operations', 'shows one') },
  'GET /fairlead/operations/{id}/wait': {
    shownBy: api('routes/operations', 'waits for one: head at once, document when it is done'),
  },
};

function arrivedIn(version: ApiVersion, targets: readonly string[]): Readonly<Record<string, ApiVersion>> {
  return Object.fromEntries(targets.map((target) => [target, version]));
}
