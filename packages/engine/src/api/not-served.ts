import { EngineError, type Method } from '@fairlead/protocol';
import { Router, type Match } from './router.ts';

/** What the engine says to a request that Docker knows and this engine does not serve. */
type Answer =
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
  readonly answer: Answer;
}

/**
 * The rest of Docker's API up to 1.44, so that a client reads what is missing and not a mere "page not found".
 *
 * A row of the endpoint table wins over a row here. Source: Docker Engine API 1.44 reference.
 */
const ROWS: readonly Row[] = [
  { method: 'GET', path: '/plugins', answer: 'empty-list' },
  { method: 'GET', path: '/networks/{id}', answer: 'no-such-network' },
  { method: 'GET', path: '/volumes/{name}', answer: 'no-such-volume' },
  { method: 'GET', path: '/plugins/{name...}/json', answer: 'no-such-plugin' },
  ...rows('not-a-swarm-manager', [
    'GET /swarm', 'POST /swarm/init', 'POST /swarm/join', 'POST /swarm/leave', 'POST /swarm/update', 'GET /swarm/unlockkey', 'POST /swarm/unlock',
    'GET /services', 'POST /services/create', 'GET /services/{id}', 'DELETE /services/{id}', 'POST /services/{id}/update', 'GET /services/{id}/logs',
    'GET /nodes', 'GET /nodes/{id}', 'DELETE /nodes/{id}', 'POST /nodes/{id}/update',
    'GET /tasks', 'GET /tasks/{id}', 'GET /tasks/{id}/logs',
    'GET /secrets', 'POST /secrets/create', 'GET /secrets/{id}', 'DELETE /secrets/{id}', 'POST /secrets/{id}/update',
    'GET /configs', 'POST /configs/create', 'GET /configs/{id}', 'DELETE /configs/{id}', 'POST /configs/{id}/update',
  ]),
  ...rows('not-implemented', [
    'GET /containers/json', 'POST /containers/create', 'GET /containers/{id}/json', 'GET /containers/{id}/top', 'GET /containers/{id}/logs',
    'GET /containers/{id}/changes', 'GET /containers/{id}/export', 'GET /containers/{id}/stats', 'POST /containers/{id}/resize',
    'POST /containers/{id}/start', 'POST /containers/{id}/stop', 'POST /containers/{id}/restart', 'POST /containers/{id}/kill',
    'POST /containers/{id}/update', 'POST /containers/{id}/rename', 'POST /containers/{id}/pause', 'POST /containers/{id}/unpause',
    'POST /containers/{id}/attach', 'GET /containers/{id}/attach/ws', 'POST /containers/{id}/wait', 'DELETE /containers/{id}',
    'HEAD /containers/{id}/archive', 'GET /containers/{id}/archive', 'PUT /containers/{id}/archive', 'POST /containers/{id}/copy',
    'POST /containers/prune', 'POST /containers/{id}/exec', 'POST /exec/{id}/start', 'POST /exec/{id}/resize', 'GET /exec/{id}/json',
    'GET /images/json', 'POST /build', 'POST /build/prune', 'POST /build/cancel', 'POST /images/create', 'GET /images/{name...}/json',
    'GET /images/{name...}/history', 'POST /images/{name...}/push', 'POST /images/{name...}/tag', 'DELETE /images/{name...}',
    'GET /images/search', 'POST /images/prune', 'POST /commit', 'GET /images/{name...}/get', 'GET /images/get', 'POST /images/load',
    'GET /networks', 'DELETE /networks/{id}', 'POST /networks/create', 'POST /networks/{id}/connect', 'POST /networks/{id}/disconnect',
    'POST /networks/prune',
    'GET /volumes', 'POST /volumes/create', 'PUT /volumes/{name}', 'DELETE /volumes/{name}', 'POST /volumes/prune',
    'GET /plugins/privileges', 'POST /plugins/pull', 'DELETE /plugins/{name...}', 'POST /plugins/{name...}/enable', 'POST /plugins/{name...}/disable',
    'POST /plugins/{name...}/upgrade', 'POST /plugins/create', 'POST /plugins/{name...}/push', 'POST /plugins/{name...}/set',
    'POST /auth', 'GET /info', 'GET /version', 'GET /events', 'GET /system/df', 'POST /session', 'POST /grpc', 'GET /distribution/{name...}/json',
  ]),
];

/** Routes to the rows of Docker's API that this engine does not serve. */
export type NotServedRouter = Router<Row>;

export function notServedRouter(): NotServedRouter {
  return new Router(ROWS);
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
const METHODS: readonly Method[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'];

function rows(answer: Answer, targets: readonly string[]): readonly Row[] {
  return targets.map((target) => {
    const space = target.indexOf(' ');
    const method = METHODS.find((known) => known === target.slice(0, space));
    if (method === undefined) throw new Error(`Cannot route ${target}: unknown method`);
    return { method, path: target.slice(space + 1), answer };
  });
}
