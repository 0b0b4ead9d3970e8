import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  containerEndpoints,
  execEndpoints,
  imageEndpoints,
  isEngineError,
  pruneEndpoints,
  resourceEndpoints,
  systemEndpoints,
  type Endpoint,
} from '@fairlead/protocol';
import { answerNotServed, notServedRouter } from './not-served.ts';
import { parseTarget } from './router.ts';
import { containerRoutes } from './routes/containers.ts';
import { diskUsageRoute } from './routes/disk-usage.ts';
import { execRoutes } from './routes/exec.ts';
import { imageRoutes } from './routes/images.ts';
import { pruneRoutes } from './routes/prune.ts';
import { resourceRoutes } from './routes/resources.ts';
import { systemRoutes } from './routes/system.ts';

function answer(method: string, target: string): string {
  const path = parseTarget(target);
  const match = notServedRouter().match(method, path);
  if (match === undefined) return 'nothing';
  try {
    return JSON.stringify(answerNotServed(match, `/${path.segments.join('/')}`));
  } catch (error) {
    return isEngineError(error) ? `${error.kind}: ${error.message}` : String(error);
  }
}

/** Handlers are only bound here, not run: they need nothing yet. */
const nothing = {} as never;
const SERVED: ReadonlySet<string> = new Set(
  [
    ...containerRoutes(nothing),
    ...execRoutes(nothing),
    ...imageRoutes(nothing),
    ...pruneRoutes(nothing),
    ...resourceRoutes(nothing),
    ...systemRoutes(nothing),
    diskUsageRoute(nothing),
  ].map(({ endpoint }) => `${endpoint.method} ${endpoint.path}`),
);

describe('answerNotServed', () => {
  const cases = [
    { method: 'GET', target: '/v1.44/plugins', says: '[]' },
    { method: 'GET', target: '/v1.44/networks/x', says: 'not-found: network x not found' },
    { method: 'GET', target: '/plugins/vieux/sshfs/json', says: 'not-found: plugin "vieux/sshfs" not found' },
    { method: 'POST', target: '/build', says: 'not-implemented: "POST /build" is not implemented by this engine yet' },
    {
      method: 'POST',
      target: '/networks/n/connect',
      says: 'not-implemented: "POST /networks/n/connect" is not implemented by this engine yet',
    },
    { method: 'POST', target: '/containers/c/copy', says: 'nothing' },
    { method: 'POST', target: '/session', says: 'nothing' },
    { method: 'POST', target: '/grpc', says: 'nothing' },
    { method: 'PATCH', target: '/volumes', says: 'nothing' },
    { method: 'GET', target: '/nosuch', says: 'nothing' },
  ];
  for (const { method, target, says } of cases) {
    it(`${method} ${target}: ${says}`, () => assert.equal(answer(method, target), says));
  }

  it('every swarm endpoint says that this is no swarm manager', () => {
    for (const noun of ['swarm', 'services', 'nodes', 'tasks', 'secrets', 'configs']) {
      assert.match(answer('GET', `/v1.44/${noun}`), /^unavailable: This node is not a swarm manager/);
    }
  });

  it('knows every endpoint of the table that has no handler, so that none is a mere "page not found"', () => {
    const tables = [
      ...[containerEndpoints, execEndpoints, imageEndpoints],
      ...[pruneEndpoints, resourceEndpoints, systemEndpoints],
    ];
    const endpoints = tables.flatMap((table): readonly Endpoint[] => Object.values(table) as readonly Endpoint[]);
    for (const { method, path } of endpoints) {
      if (SERVED.has(`${method} ${path}`)) continue;
      assert.notEqual(answer(method, path.replaceAll(/\{[a-z]+(\.\.\.)?\}/gi, 'x')), 'nothing', `${method} ${path}`);
    }
  });
});
