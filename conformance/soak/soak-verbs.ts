import type { Random } from './random.ts';
import { askOrLeave, hijackForAWhile, patience, type Answer, type Outcome, type Question } from './soak-client.ts';

/** What every client shares: few names, so that they meet. */
export interface SoakScene {
  readonly socketPath: string;
  readonly cgroupParent: string;
  readonly names: readonly string[];
  readonly volumes: readonly string[];
  /** Archives to load: small images of their own. */
  readonly archives: readonly Uint8Array[];
  /** A tar of some files. */
  readonly files: Uint8Array;
}

/** One verb as one client uses it once. */
export interface SoakVerb {
  readonly name: string;
  /** How often it comes, compared with the others. */
  readonly weight: number;
  /** What the specification has for it, in whatever state the others have brought the engine. */
  readonly statuses: readonly number[];
  run(scene: SoakScene, random: Random): Promise<Outcome>;
}

/** 500 is what Docker answers to these, too: engine-api 2.2 and 3.8. */
const KNOWN_500: readonly RegExp[] = [
  /is not paused/,
  // A restart tells why its start failed as its own failure.
  /^Cannot restart container .*(marked for removal|paused container|No such container|is being removed|executable file not found)/,
  // The container ended while the program was being started in it: what the runtime says then depends on the moment.
  /^OCI runtime exec failed: .*: unknown$/,
];

/** A stream of a container's files breaks off when the container is removed meanwhile. */
const CUT_OFF = /^cut off: Error: aborted/;

/** Whether the specification has it that an answer breaks off. */
export function mayBreakOff(verb: SoakVerb, failure: string): boolean {
  return ['archive out', 'export'].includes(verb.name) && CUT_OFF.test(failure);
}

/** Whether an answer is one that the specification allows. */
export function isAllowed(verb: SoakVerb, { status, body }: Answer): boolean {
  if (status === 500) return KNOWN_500.some((pattern) => pattern.test(messageOf(body)));
  return verb.statuses.includes(status);
}

const PROGRAMS: readonly (readonly string[])[] = [
  ['sleep', '1000'],
  ['sleep', '1000'],
  ['sh', '-c', 'trap "exit 7" TERM; sleep 1000 & wait'],
  ['sh', '-c', 'i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; sleep 0.3; exit 3'],
  ['cat'],
  ['true'],
  ['nosuch'],
];
const COMMANDS: readonly (readonly string[])[] = [
  ['true'],
  ['cat'],
  ['sh', '-c', 'echo out; echo err >&2; exit 3'],
  ['sleep', '0.2'],
  ['nosuch'],
];

/** A verb on a container that may or may not be there. */
function onContainer(
  name: string,
  weight: number,
  more: {
    readonly statuses: readonly number[];
    readonly target: (id: string, random: Random) => string;
    readonly question?: Question;
  },
): SoakVerb {
  return {
    name,
    weight,
    statuses: [...more.statuses, 404],
    run: async ({ socketPath, names }, random) =>
      await askOrLeave(socketPath, more.target(random.pick(names), random), {
        ...(more.question === undefined ? {} : { question: more.question }),
        leaveAfterMs: patience(random),
      }),
  };
}

export const SOAK_VERBS: readonly SoakVerb[] = [
  {
    name: 'create',
    weight: 14,
    statuses: [201, 404, 409],
    async run({ socketPath, cgroupParent, names, volumes }, random) {
      const name = random.pick(names);
      const json = {
        Image: 'busybox',
        Cmd: random.pick(PROGRAMS),
        Tty: random.chance(0.2),
        OpenStdin: random.chance(0.3),
        StdinOnce: random.chance(0.5),
        HostConfig: {
          CgroupParent: cgroupParent,
          AutoRemove: random.chance(0.15),
          NetworkMode: random.pick(['bridge', 'none', 'none', 'host']),
          Binds: random.chance(0.2) ? [`${random.pick(volumes)}:/data`] : [],
        },
      };
      return await askOrLeave(socketPath, `POST /containers/create?name=${name}`, {
        question: { json },
        leaveAfterMs: patience(random),
      });
    },
  },
  // 400: the program cannot be run; 409: paused, or being removed.
  onContainer('start', 14, { statuses: [204, 304, 400, 409], target: (id) => `POST /containers/${id}/start` }),
  onContainer('stop', 5, {
    statuses: [204, 304],
    target: (id, random) => `POST /containers/${id}/stop?t=${random.below(2)}`,
  }),
  onContainer('restart', 3, { statuses: [204], target: (id) => `POST /containers/${id}/restart?t=0` }),
  onContainer('kill', 4, {
    statuses: [204, 409],
    target: (id, random) => `POST /containers/${id}/kill?signal=${random.pick(['KILL', 'TERM', 'HUP'])}`,
  }),
  onContainer('pause', 3, { statuses: [204, 409], target: (id) => `POST /containers/${id}/pause` }),
  onContainer('unpause', 5, { statuses: [204], target: (id) => `POST /containers/${id}/unpause` }),
  onContainer('rename', 2, {
    statuses: [204, 400, 409],
    target: (id, random) => `POST /containers/${id}/rename?name=${id.slice(0, 3)}${random.below(12)}`,
  }),
  onContainer('remove', 5, { statuses: [204, 409], target: (id) => `DELETE /containers/${id}?v=1` }),
  onContainer('remove by force', 6, { statuses: [204, 409], target: (id) => `DELETE /containers/${id}?force=1&v=1` }),
  onContainer('inspect', 6, { statuses: [200], target: (id) => `GET /containers/${id}/json` }),
  onContainer('logs', 4, { statuses: [200], target: (id) => `GET /containers/${id}/logs?stdout=1&stderr=1&tail=50` }),
  onContainer('top', 2, { statuses: [200, 409], target: (id) => `GET /containers/${id}/top` }),
  onContainer('stats', 2, { statuses: [200, 409], target: (id) => `GET /containers/${id}/stats?stream=0&one-shot=1` }),
  onContainer('changes', 1, { statuses: [200, 409], target: (id) => `GET /containers/${id}/changes` }),
  onContainer('update', 1, {
    statuses: [200, 409],
    target: (id) => `POST /containers/${id}/update`,
    question: { json: { PidsLimit: 100 } },
  }),
  onContainer('archive out', 2, { statuses: [200, 409], target: (id) => `GET /containers/${id}/archive?path=/etc` }),
  {
    name: 'archive in',
    weight: 2,
    statuses: [200, 404, 409],
    run: async ({ socketPath, names, files }, random) =>
      await askOrLeave(socketPath, `PUT /containers/${random.pick(names)}/archive?path=/tmp`, {
        question: { body: files },
        leaveAfterMs: patience(random),
      }),
  },
  // Without an end of its own, so that somebody has to leave.
  {
    name: 'wait',
    weight: 3,
    statuses: [200, 404],
    run: async ({ socketPath, names }, random) =>
      await askOrLeave(
        socketPath,
        `POST /containers/${random.pick(names)}/wait?condition=${random.pick(['not-running', 'next-exit', 'removed'])}`,
        {
          leaveAfterMs: random.below(1_000),
        },
      ),
  },
  {
    name: 'follow logs',
    weight: 3,
    statuses: [200, 404, 409],
    run: async ({ socketPath, names }, random) =>
      await askOrLeave(socketPath, `GET /containers/${random.pick(names)}/logs?stdout=1&follow=1`, {
        leaveAfterMs: random.below(500),
      }),
  },
  {
    name: 'follow stats',
    weight: 1,
    statuses: [200, 404],
    run: async ({ socketPath, names }, random) =>
      await askOrLeave(socketPath, `GET /containers/${random.pick(names)}/stats`, {
        leaveAfterMs: random.below(1_500),
      }),
  },
  {
    name: 'follow events',
    weight: 2,
    statuses: [200],
    run: async ({ socketPath }, random) =>
      await askOrLeave(socketPath, 'GET /events', { leaveAfterMs: random.below(500) }),
  },
  {
    name: 'attach',
    weight: 4,
    statuses: [101, 200, 404, 409],
    run: async ({ socketPath, names }, random) =>
      await hijackForAWhile(
        socketPath,
        {
          target: `POST /containers/${random.pick(names)}/attach?stream=1&stdout=1&stderr=1&stdin=${random.below(2)}&logs=${random.below(2)}`,
          json: {},
        },
        random,
      ),
  },
  { name: 'exec', weight: 12, statuses: [101, 200, 404, 409], run: execOnce },
  {
    name: 'commit',
    weight: 1,
    statuses: [201, 404, 409],
    run: async ({ socketPath, names }, random) =>
      await askOrLeave(socketPath, `POST /commit?container=${random.pick(names)}&repo=committed${random.below(3)}`, {
        leaveAfterMs: patience(random),
      }),
  },
  {
    name: 'export',
    weight: 1,
    statuses: [200, 404, 409],
    run: async ({ socketPath, names }, random) =>
      await askOrLeave(socketPath, `GET /containers/${random.pick(names)}/export`, { leaveAfterMs: patience(random) }),
  },
  {
    name: 'load',
    weight: 1,
    statuses: [200],
    run: async ({ socketPath, archives }, random) =>
      await askOrLeave(socketPath, 'POST /images/load', {
        question: { body: random.pick(archives) },
        leaveAfterMs: patience(random),
      }),
  },
  {
    name: 'remove of an image',
    weight: 1,
    statuses: [200, 404, 409],
    run: async ({ socketPath }, random) =>
      await askOrLeave(
        socketPath,
        `DELETE /images/${random.pick(['loaded0', 'loaded1', 'committed0', 'committed1', 'committed2'])}:latest`,
        {
          leaveAfterMs: patience(random),
        },
      ),
  },
  onEngine('save', 1, 'GET /images/get?names=busybox'),
  onEngine('list', 6, 'GET /containers/json?all=1&size=1'),
  onEngine('list images', 1, 'GET /images/json'),
  onEngine('list volumes', 1, 'GET /volumes'),
  onEngine('info', 1, 'GET /info'),
  onEngine('disk usage', 1, 'GET /system/df'),
  onEngine('operations', 1, 'GET /fairlead/operations?limit=50'),
];

function onEngine(name: string, weight: number, target: string): SoakVerb {
  return {
    name,
    weight,
    statuses: [200],
    run: async ({ socketPath }, random) => await askOrLeave(socketPath, target, { leaveAfterMs: patience(random) }),
  };
}

/** Made, started in one of its ways, and inspected. */
async function execOnce({ socketPath, names }: SoakScene, random: Random): Promise<Outcome> {
  const Tty = random.chance(0.3);
  const json = {
    Cmd: random.pick(COMMANDS),
    AttachStdin: random.chance(0.5),
    AttachStdout: true,
    AttachStderr: true,
    Tty,
  };
  const made = await askOrLeave(socketPath, `POST /containers/${random.pick(names)}/exec`, { question: { json } });
  if (typeof made === 'string' || 'failed' in made || made.status !== 201) return made;
  const { Id } = JSON.parse(made.body) as { readonly Id: string };
  if (random.chance(0.1)) return { status: 200, body: '' };
  if (random.chance(0.2)) {
    // A program that cannot be run is refused with 400 when nobody listens.
    const detached = await askOrLeave(socketPath, `POST /exec/${Id}/start`, {
      question: { json: { Detach: true, Tty } },
      leaveAfterMs: patience(random),
    });
    return typeof detached !== 'string' && 'status' in detached && detached.status === 400
      ? { ...detached, status: 200 }
      : detached;
  }
  const started = await hijackForAWhile(
    socketPath,
    { target: `POST /exec/${Id}/start`, json: { Detach: false, Tty } },
    random,
  );
  if (Tty && random.chance(0.5))
    await askOrLeave(socketPath, `POST /exec/${Id}/resize?h=30&w=90`, { leaveAfterMs: 100 });
  await askOrLeave(socketPath, `GET /exec/${Id}/json`);
  return started;
}

function messageOf(body: string): string {
  try {
    const document: unknown = JSON.parse(body);
    return typeof document === 'object' && document !== null && 'message' in document ? String(document.message) : body;
  } catch {
    return body;
  }
}
