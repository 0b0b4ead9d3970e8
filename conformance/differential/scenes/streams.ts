import type { Scene, Step } from '../step.ts';

function container(name: string, more: object): readonly Step[] {
  return [
    {
      target: `POST /containers/create?name=${name}`,
      json: { Image: 'busybox', HostConfig: { NetworkMode: 'none' }, ...more },
      keep: 'c',
    },
    { target: `POST /containers/${name}/start` },
    { target: `POST /containers/${name}/wait` },
  ];
}

const gone = (name: string): Step => ({ target: `DELETE /containers/${name}?force=1`, compare: 'status' });

const LOGS: readonly string[] = [
  'stdout=1',
  'stderr=1',
  'stdout=1&tail=1',
  'stdout=1&tail=0',
  'stdout=1&tail=x',
  'stdout=1&tail=-1',
  'stdout=1&since=0',
  'stdout=1&follow=1',
  'stdout=1&follow=1&tail=0',
  'stdout=1&follow=1&tail=1',
  'stdout=1&until=1',
];
const FAILING: Readonly<Record<string, readonly string[]>> = {
  nosuch: ['nosuch'],
  'no path': ['/nosuch'],
  directory: ['/etc'],
  'no letters': [''],
};

/** Logs, waits and failed starts. */
export const streamScenes: readonly Scene[] = [
  {
    name: 'logs of two streams',
    steps: [
      ...container('l1', { Cmd: ['sh', '-c', 'echo a; echo b; sleep 0.1; echo c >&2; printf d'] }),
      ...LOGS.map((query) => ({ target: `GET /containers/l1/logs?${query}` })),
      gone('l1'),
    ],
  },
  {
    name: 'logs of a terminal',
    steps: [
      ...container('l2', { Cmd: ['sh', '-c', 'echo a; echo b >&2'], Tty: true }),
      ...LOGS.map((query) => ({ target: `GET /containers/l2/logs?${query}` })),
      gone('l2'),
    ],
  },
  {
    name: 'logs of long lines',
    steps: [
      ...container('l3', { Cmd: ['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo'] }),
      { target: 'GET /containers/l3/logs?stdout=1' },
      gone('l3'),
    ],
  },
  {
    name: 'waits',
    steps: [
      ...container('ww', { Cmd: ['sh', '-c', 'exit 9'] }),
      { target: 'POST /containers/ww/wait?condition=not-running' },
      { target: 'GET /containers/ww/json' },
      gone('ww'),
    ],
  },
  ...Object.entries(FAILING).map(([name, Cmd]) => ({
    name: `a start that fails: ${name}`,
    steps: [
      ...container('ff', { Cmd }),
      { target: 'GET /containers/ff/json' },
      { target: 'GET /containers/json?all=1' },
      gone('ff'),
    ],
  })),
  {
    name: 'a user nobody knows',
    steps: [...container('uu', { Cmd: ['true'], User: 'nosuch' }), { target: 'GET /containers/uu/json' }, gone('uu')],
  },
];
