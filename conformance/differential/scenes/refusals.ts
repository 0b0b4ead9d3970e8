import type { Scene, Step } from '../step.ts';

const NAMED: readonly string[] = [
  'GET /containers/nosuch/json',
  'POST /containers/nosuch/start',
  'POST /containers/nosuch/stop',
  'POST /containers/nosuch/restart',
  'POST /containers/nosuch/kill',
  'POST /containers/nosuch/pause',
  'POST /containers/nosuch/unpause',
  'POST /containers/nosuch/rename?name=x1',
  'POST /containers/nosuch/wait',
  'POST /containers/nosuch/resize?h=1&w=1',
  'GET /containers/nosuch/top',
  'GET /containers/nosuch/logs?stdout=1',
  'DELETE /containers/nosuch',
  'DELETE /containers/nosuch?force=1',
  'DELETE /containers/nosuch/alias?link=1',
  'GET /exec/nosuch/json',
  'POST /exec/nosuch/resize?h=1&w=1',
  'GET /images/nosuch/json',
  'GET /images/nosuch:tag/json',
  'GET /images/nosuch/history',
  'GET /images/nosuch/get',
  'DELETE /images/nosuch',
  'POST /images/nosuch/tag?repo=x&tag=y',
  'GET /images/UPPER/json',
];

const PATHS: readonly string[] = [
  'GET /nosuch',
  'GET /containers',
  'DELETE /info',
  'PUT /containers/create',
  'GET /containers/create',
  'POST /version',
  'GET /exec',
  'POST /containers/a/b/c',
];

const QUERIES: readonly string[] = [
  'GET /containers/json?filters={"nosuch":["x"]}',
  'GET /containers/json?filters={"status":["bogus"]}',
  'GET /containers/json?all=bananas',
  'GET /containers/json?all=0',
  'GET /containers/json?all=no',
  'GET /containers/json?filters={}',
  'GET /containers/json?filters=',
  'GET /containers/json?filters={"label":["a=b"]}',
  'GET /containers/json?filters={"label":{"a=b":true}}',
  'GET /images/json?filters={"nosuch":["x"]}',
  'GET /images/json?filters={"dangling":["maybe"]}',
  'GET /images/json?filters={"reference":["nosuch*"]}',
  'GET /containers/qq/logs',
  'GET /containers/qq/logs?stdout=0&stderr=0',
  'POST /containers/qq/kill?signal=BOGUS',
  'POST /containers/qq/kill?signal=0',
  'POST /containers/qq/kill?signal=9x',
  'POST /containers/qq/kill?signal=RTMIN%2B99',
  'POST /containers/qq/resize?h=x&w=1',
  'POST /containers/qq/resize',
  'POST /containers/qq/start?checkpoint=c',
  'DELETE /containers/qq?link=1',
  'POST /containers/qq/rename',
  'POST /containers/qq/rename?name=',
  'POST /containers/qq/rename?name=qq',
  'POST /containers/qq/rename?name=a%20b',
  'POST /containers/qq/rename?name=/',
  'GET /events?since=2&until=1',
];

const BODIES: readonly (readonly [string, string, string | undefined])[] = [
  ['POST /containers/create', '{', 'application/json'],
  ['POST /containers/create', '', undefined],
  ['POST /containers/create', '{}', 'application/json'],
  ['POST /containers/create', '{"Image":"busybox"}', 'text/plain'],
  ['POST /containers/create', '{"Image":"nosuch","Cmd":["x"]}', 'application/json'],
  ['POST /containers/create', '{"Image":"nosuch:1","Cmd":["x"]}', 'application/json'],
  ['POST /containers/create?name=a%20b', '{"Image":"busybox"}', 'application/json'],
  ['POST /containers/create?name=x', '{"Image":"busybox"}', 'application/json'],
  ['POST /containers/create?name=qq', '{"Image":"busybox"}', 'application/json'],
  ['POST /containers/qq/exec', '{}', 'application/json'],
  ['POST /containers/qq/exec', '{"Cmd":[]}', 'application/json'],
  ['POST /containers/qq/exec', '{"Cmd":null}', 'application/json'],
  ['POST /containers/qq/exec', '{"Cmd":["x"]}', 'text/plain'],
  ['POST /containers/qq/start', '{"Binds":["/a:/b"]}', 'application/json'],
  ['POST /containers/qq/start', '{}', 'application/json'],
];

const q: Step = {
  target: 'POST /containers/create?name=qq',
  json: { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' } },
  keep: 'q',
};
const gone: Step = { target: 'DELETE /containers/qq?force=1', compare: 'status' };

/** What is asked for wrongly. */
export const refusalScenes: readonly Scene[] = [
  { name: 'names nobody has', steps: NAMED.map((target) => ({ target })) },
  { name: 'paths nobody serves', steps: PATHS.map((target) => ({ target })) },
  {
    name: 'queries',
    steps: [q, ...QUERIES.map((target) => ({ target: target.replaceAll(/[{}"^$]/g, encodeURIComponent) })), gone],
  },
  { name: 'bodies', steps: [q, ...BODIES.map(([target, text, type]) => ({ target, body: { text, type } })), gone] },
];
