import { EngineError, type Method } from '@fairlead/protocol';
import { Router, type Match } from './router.ts';

/** What the engine says to a request that Docker knows and this engine does not serve. */
export type NotServedAnswer =
  /** 501, in clear words. */
  | 'not-implemented'
  /** 503, as every Docker that is not in a swarm. */
  | 'not-a-swarm-manager'
  /** 404 for the one asked for: clients that look a name up among several kinds (`docker inspect`) go on to the next. */
  | 'no-such-network'
  | 'no-such-volume'
  | 'no-such-plugin'
  /** `200 []`. */
  | 'empty-list';

interface Row {
  readonly method: Method;
  readonly path: string;
  readonly answer: NotServedAnswer;
}

/**
 * The rest of Docker's API up to 1.44, so that a client reads what is missing and not a mere "page not found": that is for what Docker
 * does not have (any more), and for BuildKit's doors, by which clients find out whether there is one.
 *
 * A row of the endpoint table wins over a row here. Source: Docker Engine API 1.44 reference.
 */
export const NOT_SERVED: Readonly<Record<NotServedAnswer, readonly string[]>> = {
  'empty-list': ['GET /plugins'],
  'no-such-network': ['GET /networks/{id}'],
  'no-such-volume': ['GET /volumes/{name}'],
  'no-such-plugin': ['GET /plugins/{name...}/json'],
  'not-a-swarm-manager': [
    ...['GET /swarm', 'POST /swarm/init', 'POST /swarm/join', 'POST /swarm/leave', 'POST /swarm/update'],
    ...['GET /swarm/unlockkey', 'POST /swarm/unlock'],
    ...crud('services'),
    'GET /services/{id}/logs',
    ...['GET /nodes', 'GET /nodes/{id}', 'DELETE /nodes/{id}', 'POST /nodes/{id}/update'],
    ...['GET /tasks', 'GET /tasks/{id}', 'GET /tasks/{id}/logs'],
    ...crud('secrets'),
    ...crud('configs'),
  ],
  'not-implemented': [
    ...['GET /containers/json', 'POST /containers/create', 'DELETE /containers/{id}'],
    ...get('/containers/{id}', ['json', 'top', 'logs']),
    ...post('/containers/{id}', ['start', 'stop', 'restart', 'kill', 'pause', 'unpause', 'wait', 'attach', 'resize']),
    ...post('/containers/{id}', ['rename', 'exec']),
    ...['POST /exec/{id}/start', 'POST /exec/{id}/resize', 'GET /exec/{id}/json'],
    ...get('/images', ['json', 'search', '{name...}/json', '{name...}/history']),
    ...post('/images', ['create', 'load', '{name...}/push', '{name...}/tag']),
    ...['DELETE /images/{name...}', 'POST /build', 'POST /build/cancel'],
    ...['GET /networks', 'DELETE /networks/{id}', 'POST /networks/create'],
    ...post('/networks/{id}', ['connect', 'disconnect']),
    ...['GET /volumes', 'POST /volumes/create', 'POST /volumes/prune', 'PUT /volumes/{name}', 'DELETE /volumes/{name}'],
    ...['GET /plugins/privileges', 'POST /plugins/pull', 'POST /plugins/create', 'DELETE /plugins/{name...}'],
    ...post('/plugins/{name...}', ['enable', 'disable', 'upgrade', 'push', 'set']),
    ...['POST /auth', 'GET /info', 'GET /version', 'GET /events'],
    'GET /distribution/{name...}/json',
  ],
};

/** Routes to the rows of Docker's API that this engine does not serve. */
export type NotServedRouter = Router<Row>;

/** Makes the router of that table. */
export function notServedRouter(): NotServedRouter {
  const answers: readonly NotServedAnswer[] = [
    'empty-list',
    'no-such-network',
    'no-such-volume',
    'no-such-plugin',
    'not-a-swarm-manager',
    'not-implemented',
  ];
  return new Router(answers.flatMap((answer) => NOT_SERVED[answer].map((target) => rowOf(answer, target))));
}

/**
 * What to answer to such a request.
 *
 * @param path as the client wrote it, without prefix and query
 * @returns the document of a 200. @throws EngineError for everything else, in Docker's words where Docker has some.
 */
export function answerNotServed(match: Match<Row>, path: string): readonly [] {
  const { answer, method } = match.row;
  const name = [...match.params.values()].join('/');
  switch (answer) {
    case 'empty-list':
      return [];
    case 'not-a-swarm-manager':
      throw new EngineError('unavailable', NOT_A_SWARM_MANAGER);
    case 'no-such-network':
      throw new EngineError('not-found', `network ${name} not found`);
    case 'no-such-volume':
      throw new EngineError('not-found', `get ${name}: no such volume`);
    case 'no-such-plugin':
      throw new EngineError('not-found', `plugin "${name}" not found`);
    case 'not-implemented':
      throw new EngineError('not-implemented', `"${method} ${path}" is not implemented by this engine yet`);
    default:
      return answer satisfies never;
  }
}

const NOT_A_SWARM_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

function rowOf(answer: NotServedAnswer, target: string): Row {
  const [name = '', path = ''] = target.split(' ');
  const methods: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];
  const method = methods.find((known) => known === name);
  if (method === undefined) throw new EngineError('internal', `Cannot route ${target}: unknown method`);
  return { method, path, answer };
}

function get(prefix: string, rest: readonly string[]): readonly string[] {
  return rest.map((path) => `GET ${prefix}/${path}`);
}

function post(prefix: string, rest: readonly string[]): readonly string[] {
  return rest.map((path) => `POST ${prefix}/${path}`);
}

function crud(noun: string): readonly string[] {
  const all = `/${noun}`;
  return [`GET ${all}`, `POST ${all}/create`, `GET ${all}/{id}`, `DELETE ${all}/{id}`, `POST ${all}/{id}/update`];
}
