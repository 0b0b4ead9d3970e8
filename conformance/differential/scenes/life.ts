import type { Scene, Step } from '../step.ts';

const NAME = 'life';
const OF_C = '%7B%22container%22:%5B%22{c}%22%5D%7D';
const quiet = (target: string): Step => ({ target, compare: 'status' });

/**
 * Pauses, and takes a second. dockerd hears of a pause from containerd, too: one that it hears of only after the unpause is a second one
 * to it, and it says so in its events.
 */
const paused: readonly Step[] = [
  quiet(`POST /containers/${NAME}/pause`),
  quiet(`GET /containers/${NAME}/stats?stream=0`),
];

function create(config: object, host: object = {}): Step {
  const json = { Image: 'busybox', ...config, HostConfig: { NetworkMode: 'none', ...host } };
  return { target: `POST /containers/create?name=${NAME}`, json, keep: 'c' };
}

/** What leaves a trace in the events: from the create to the removal. */
const WHOLE_LIFE: readonly Step[] = [
  create({
    ...{ Cmd: ['sh', '-c', 'while :; do sleep 0.1; done'], StopSignal: 'SIGKILL', Tty: true },
    Labels: { tier: 'front' },
  }),
  quiet(`POST /containers/${NAME}/start`),
  {
    ...{ target: `POST /containers/${NAME}/attach?logs=1&stdout=1`, compare: 'status' },
    hijack: { input: '', upgrade: true },
  },
  quiet(`POST /containers/${NAME}/resize?h=20&w=80`),
  { target: `POST /containers/${NAME}/exec`, json: { Cmd: ['sh', '-c', 'exit 3'], AttachStdout: true }, keep: 'x' },
  { target: 'POST /exec/{x}/start', json: {}, hijack: { input: '', upgrade: false } },
  // Two samples, a second apart: the exec is over in every respect by then.
  { target: `GET /containers/${NAME}/stats?stream=0`, compare: 'shape' },
  ...paused,
  quiet(`POST /containers/${NAME}/unpause`),
  quiet(`POST /containers/${NAME}/rename?name=${NAME}-2`),
  { target: 'POST /containers/{c}/update', json: { CpuShares: 512 } },
  quiet('GET /containers/{c}/top'),
  quiet('HEAD /containers/{c}/archive?path=/etc/hostname'),
  quiet('GET /containers/{c}/archive?path=/etc/hostname'),
  { target: 'PUT /containers/{c}/archive?path=/tmp', body: { text: '', type: 'application/x-tar' } },
  quiet('GET /containers/{c}/export'),
  { target: 'GET /containers/{c}/changes' },
  quiet('GET /containers/{c}/logs?stdout=1'),
  quiet('POST /containers/{c}/restart?t=0'),
  quiet('POST /containers/{c}/kill'),
  quiet('POST /containers/{c}/start'),
  quiet('POST /containers/{c}/stop'),
  quiet('DELETE /containers/{c}'),
  { target: `GET /events?since=1&until={now}&filters=${OF_C}` },
];

/** Runs that follow each other, and what is told of all this. */
export const lifeScenes: readonly Scene[] = [
  { name: 'a whole life, as events tell it', steps: WHOLE_LIFE },
  {
    name: 'a second run',
    steps: [
      create({ Cmd: ['sh', '-c', '[ -e /ran ] && exec sleep 1000; touch /ran; exit 4'], StopSignal: 'SIGKILL' }),
      quiet(`POST /containers/${NAME}/start`),
      { target: `POST /containers/${NAME}/wait` },
      quiet(`POST /containers/${NAME}/start`),
      { target: `GET /containers/${NAME}/json` },
      quiet(`DELETE /containers/${NAME}?force=1`),
    ],
  },
  {
    name: 'a second start that fails',
    steps: [
      create({ Cmd: ['sh', '-c', 'rm /bin/sh; exit 4'] }),
      quiet(`POST /containers/${NAME}/start`),
      { target: `POST /containers/${NAME}/wait` },
      { target: `POST /containers/${NAME}/start` },
      { target: `GET /containers/${NAME}/json` },
      { target: `POST /containers/${NAME}/wait` },
      ...['4', '127'].map((code) => ({
        target: `GET /containers/json?all=1&filters=%7B%22exited%22:%5B%22${code}%22%5D,%22id%22:%5B%22{c}%22%5D%7D`,
      })),
      quiet(`DELETE /containers/${NAME}?force=1`),
    ],
  },
  ...['restart', 'start'].map((verb) => ({
    name: `a ${verb} that fails, and its events`,
    steps: [
      create({ Cmd: ['nosuch'] }),
      { target: `POST /containers/${NAME}/${verb}` },
      { target: `GET /containers/${NAME}/json` },
      { target: `GET /events?since=1&until={now}&filters=${OF_C}` },
      quiet(`DELETE /containers/${NAME}?force=1`),
    ],
  })),
  {
    name: 'a restart of what never ran, and its events',
    steps: [
      create({ Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL' }),
      { target: `POST /containers/${NAME}/restart` },
      { target: `GET /events?since=1&until={now}&filters=${OF_C}` },
      quiet(`DELETE /containers/${NAME}?force=1`),
    ],
  },
  {
    name: 'an exec that may not be started, and one that was',
    steps: [
      create({ Cmd: ['sleep', '1000'], StopSignal: 'SIGKILL' }),
      quiet(`POST /containers/${NAME}/start`),
      { target: `POST /containers/${NAME}/exec`, json: { Cmd: ['sleep', '1000'] }, keep: 'x' },
      { target: `POST /containers/${NAME}/exec`, json: { Cmd: ['true'], DetachKeys: 'ctrl-a' }, keep: 'y' },
      ...paused,
      { target: 'POST /exec/{x}/start', json: { Detach: true } },
      quiet(`POST /containers/${NAME}/unpause`),
      { target: 'POST /exec/{x}/start', json: { Detach: true } },
      { target: 'POST /exec/{x}/start', json: { Detach: true } },
      { target: 'GET /exec/{x}/json' },
      { target: 'GET /exec/{y}/json' },
      { target: `GET /containers/${NAME}/json` },
      { target: 'POST /exec/{x}/resize?h=10&w=20' },
      { target: 'POST /exec/{x}/resize' },
      { target: 'POST /exec/{x}/resize?h=x&w=20' },
      quiet(`POST /containers/${NAME}/stop`),
      { target: 'GET /exec/{x}/json' },
      { target: 'GET /exec/{y}/json' },
      { target: 'POST /exec/{x}/start', json: { Detach: true } },
      quiet(`DELETE /containers/${NAME}?force=1`),
    ],
  },
  {
    name: 'what the engine tells of itself',
    steps: [
      { target: 'GET /_ping' },
      { target: 'GET /version', compare: 'shape' },
      { target: 'GET /info', compare: 'shape' },
    ],
  },
];
