import type { Scene, Step } from '../step.ts';

/** How to bring a container of a given name into each state. Source: engine-api 2.2. */
const INTO: Readonly<Record<string, (name: string) => readonly Step[]>> = {
  created: (name) => [create(name)],
  running: (name) => [create(name), quiet(`POST /containers/${name}/start`)],
  paused: (name) => [create(name), quiet(`POST /containers/${name}/start`), quiet(`POST /containers/${name}/pause`)],
  exited: (name) => [
    create(name, { Cmd: ['sh', '-c', '[ -e /ran ] && exec sleep 1000; touch /ran; echo out; exit 4'] }),
    quiet(`POST /containers/${name}/start`),
    { target: `POST /containers/${name}/wait` },
  ],
};

/** Every operation of the matrix: method and path for a container. */
const OPERATIONS: Readonly<Record<string, (name: string) => Step>> = {
  start: (name) => ({ target: `POST /containers/${name}/start` }),
  stop: (name) => ({ target: `POST /containers/${name}/stop?t=1` }),
  restart: (name) => ({ target: `POST /containers/${name}/restart?t=1` }),
  kill: (name) => ({ target: `POST /containers/${name}/kill` }),
  'kill-usr2': (name) => ({ target: `POST /containers/${name}/kill?signal=USR2` }),
  pause: (name) => ({ target: `POST /containers/${name}/pause` }),
  unpause: (name) => ({ target: `POST /containers/${name}/unpause` }),
  rename: (name) => ({ target: `POST /containers/${name}/rename?name=${name}-new` }),
  rm: (name) => ({ target: `DELETE /containers/${name}` }),
  'rm-force': (name) => ({ target: `DELETE /containers/${name}?force=1` }),
  resize: (name) => ({ target: `POST /containers/${name}/resize?h=20&w=80` }),
  'exec-create': (name) => ({ target: `POST /containers/${name}/exec`, json: { Cmd: ['true'] }, keep: 'exec' }),
  logs: (name) => ({ target: `GET /containers/${name}/logs?stdout=1` }),
  update: (name) => ({ target: `POST /containers/${name}/update`, json: { CpuShares: 512 } }),
  changes: (name) => ({ target: `GET /containers/${name}/changes` }),
  export: (name) => quiet(`GET /containers/${name}/export`),
  archive: (name) => quiet(`GET /containers/${name}/archive?path=/etc/hostname`),
  inspect: (name) => ({ target: `GET /containers/${name}/json` }),
};

/** Asked after each operation: what it made of the container. */
function aftermath(name: string): readonly Step[] {
  return [
    { target: `GET /containers/json?all=1&filters={"name":["^/?${name}(-new)?$"]}` },
    quiet(`DELETE /containers/${name}?force=1`),
    quiet(`DELETE /containers/${name}-new?force=1`),
  ];
}

/** Every operation in every state. `top`, and what waits, have scenes of their own. */
export const stateScenes: readonly Scene[] = Object.entries(INTO).flatMap(([state, into]) =>
  Object.entries(OPERATIONS).map(([operation, step]) => {
    const name = `m-${state}-${operation}`;
    return { name: `${operation} when ${state}`, steps: [...into(name), step(name), ...aftermath(name)] };
  }),
);

function create(name: string, more: object = {}): Step {
  return {
    target: `POST /containers/create?name=${name}`,
    json: {
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      StopSignal: 'SIGKILL',
      HostConfig: { NetworkMode: 'none' },
      ...more,
    },
    keep: 'c',
  };
}

/** A step whose status alone matters: its answer is another scene's subject. */
function quiet(target: string): Step {
  return { target, compare: 'status' };
}
