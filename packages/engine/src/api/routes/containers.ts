import {
  containerEndpoints,
  EngineError,
  NO_FILTERS,
  OUTCOME_HEADER,
  encodeOutcome,
  versionAtLeast,
  type StopEvidence,
} from '@fairlead/protocol';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { createContainer } from '../../core/container/create.ts';
import { lastOf } from '../../core/container/wire-state.ts';
import { inspectContainer } from '../../core/container/inspect.ts';
import { killContainer } from '../../core/container/kill.ts';
import { removeContainerLink } from '../../core/container/links.ts';
import { listContainers } from '../../core/container/list.ts';
import { containerLogs, logChunks } from '../../core/container/logs.ts';
import { pauseContainer, unpauseContainer } from '../../core/container/pause.ts';
import { removeContainer } from '../../core/container/remove.ts';
import { renameContainer } from '../../core/container/rename.ts';
import { resizeContainer } from '../../core/container/resize.ts';
import { restartContainer } from '../../core/container/restart.ts';
import { startContainer } from '../../core/container/start.ts';
import { stopContainer } from '../../core/container/stop.ts';
import { topContainer } from '../../core/container/top.ts';
import type { ExecDirectory } from '../../core/exec/directory.ts';
import type { ProcessList } from '../../core/ports/process-list.ts';
import { route, type Route } from '../route.ts';
import { aboutContainer, progressOf } from './about.ts';
import { terminalSize } from './terminal-size.ts';
import { attachRoute } from './attach.ts';
import { createBodyOf } from './older-create.ts';
import { attachWebSocketRoute } from './attach-web-socket.ts';
import { waitRoute } from './wait.ts';

/** What the routes of containers work with. */
export interface ContainerRouteDeps extends ContainerDeps {
  readonly execs: ExecDirectory;
  readonly processes: ProcessList;
}

/** A start takes no body; Docker lets `{}` and `null` pass. Source: engine-api 1.8. */
const START_BODY_BYTES_MAX = 7;

/** Everything under `/containers`. */
export function containerRoutes(deps: ContainerRouteDeps): readonly Route[] {
  return [...lifeRoutes(deps), ...removalRoutes(deps), ...stopRoutes(deps), ...viewRoutes(deps), ...streamRoutes(deps)];
}

function lifeRoutes(deps: ContainerRouteDeps): readonly Route[] {
  const { create, start, pause, unpause, rename } = containerEndpoints;
  return [
    route(create, async (call) => {
      const { actor, warnings } = await createContainer(deps, {
        name: call.query.name,
        platform: call.query.platform,
        body: createBodyOf(call.body, call.apiVersion),
      });
      aboutContainer(call, actor);
      return { kind: 'json', body: { Id: actor.id, Warnings: warnings } };
    }),
    route(start, async (call) => {
      if (call.bodyLength === 'chunked' || call.bodyLength > START_BODY_BYTES_MAX) {
        throw new EngineError(
          'invalid-argument',
          'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
        );
      }
      if ((call.query.checkpoint ?? '') !== '')
        throw new EngineError('invalid-argument', 'checkpoint is only supported in experimental mode');
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      await startContainer(deps, call.param('id'));
      return { kind: 'empty' };
    }),
    route(pause, async (call) => {
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      await pauseContainer(deps, call.param('id'));
      return { kind: 'empty' };
    }),
    route(unpause, async (call) => {
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      await unpauseContainer(deps, call.param('id'));
      return { kind: 'empty' };
    }),
    route(rename, async (call) => {
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      await renameContainer(deps, call.param('id'), call.query.name ?? '');
      return { kind: 'empty' };
    }),
  ];
}

function removalRoutes(deps: ContainerRouteDeps): readonly Route[] {
  const { remove, removeLink } = containerEndpoints;
  return [
    route(remove, async (call) => {
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      // Its name is no link to take away. Source: moby daemon/delete.go, rmLink.
      if (call.query.link === true)
        throw new EngineError('internal', 'Conflict, cannot remove the default link name of the container');
      const { force = false, v: volumes = false } = call.query;
      await removeContainer(deps, call.param('id'), { force, volumes, progress: progressOf(call) });
      return { kind: 'empty' };
    }),
    // To Docker this is another name of the linked container; here it names the link alone.
    route(removeLink, async (call) => {
      const [parent, alias] = [call.param('id'), call.param('alias')];
      if (call.query.link !== true) throw new EngineError('not-found', `No such container: ${parent}/${alias}`);
      await removeContainerLink(deps, { parent, alias, about: (actor) => aboutContainer(call, actor) });
      return { kind: 'empty' };
    }),
  ];
}

/** These belong to the engine: they go on to their end whether or not the caller still listens. */
function stopRoutes(deps: ContainerRouteDeps): readonly Route[] {
  const { stop, restart, kill } = containerEndpoints;
  return [
    route(stop, async (call) => {
      const startedMs = deps.clock.monotonicMs();
      const actor = deps.directory.resolve(call.param('id'));
      aboutContainer(call, actor);
      const evidence = (outcome: StopEvidence['outcome'], exitCode: number | undefined): void => {
        call.setHeader(
          OUTCOME_HEADER,
          encodeOutcome({ outcome, exitCode, tookMs: deps.clock.monotonicMs() - startedMs }),
        );
      };
      // Overwritten by a stop that happens; what stays is the truth of a 304.
      evidence('already-stopped', lastOf(actor.state)?.exitCode);
      const command = {
        signal: call.query.signal,
        graceMs: call.query.t,
        purpose: 'stop',
        progress: progressOf(call),
      } as const;
      const outcome = await stopContainer(deps, call.param('id'), command);
      evidence(outcome.detail, outcome.exitCode);
      return { kind: 'empty' };
    }),
    route(restart, async (call) => {
      const startedMs = deps.clock.monotonicMs();
      aboutContainer(call, deps.directory.resolve(call.param('id')));
      const command = { signal: call.query.signal, graceMs: call.query.t, progress: progressOf(call) };
      const outcome = await restartContainer(deps, call.param('id'), command);
      if (outcome !== undefined) {
        const tookMs = deps.clock.monotonicMs() - startedMs;
        call.setHeader(OUTCOME_HEADER, encodeOutcome({ outcome: outcome.detail, exitCode: outcome.exitCode, tookMs }));
      }
      return { kind: 'empty' };
    }),
    route(kill, async (call) => {
      const progress = progressOf(call);
      await killContainer(deps, call.param('id'), { signal: call.query.signal, progress });
      return { kind: 'empty' };
    }),
  ];
}

function viewRoutes(deps: ContainerRouteDeps): readonly Route[] {
  const { list, inspect, resize, top } = containerEndpoints;
  return [
    route(list, async ({ query }) => ({
      kind: 'json',
      body: await listContainers(deps, {
        all: query.all === true,
        limit: query.limit ?? 0,
        size: query.size === true,
        filters: query.filters ?? NO_FILTERS,
      }),
    })),
    route(inspect, async (call) => ({
      kind: 'json',
      body: await inspectContainer(deps, call.param('id'), { size: call.query.size === true }),
    })),
    route(resize, async (call) => {
      await resizeContainer(deps, call.param('id'), terminalSize(call.query));
      return { kind: 'empty' };
    }),
    route(top, async (call) => ({
      kind: 'json',
      body: await topContainer(deps, call.param('id'), call.query.ps_args ?? ''),
    })),
  ];
}

function streamRoutes(deps: ContainerRouteDeps): readonly Route[] {
  const { logs } = containerEndpoints;
  return [
    waitRoute(deps),
    attachRoute(deps),
    attachWebSocketRoute(deps),
    route(logs, async (call) => {
      const stdout = call.query.stdout === true;
      const stderr = call.query.stderr === true;
      if (!stdout && !stderr) {
        throw new EngineError('invalid-argument', 'Bad parameters: you must choose at least one stream');
      }
      const found = containerLogs(deps, call.param('id'), { ...call.query, stdout, stderr, signal: call.hangup });
      const multiplexed = !found.tty && versionAtLeast(call.apiVersion, '1.42');
      return {
        kind: 'bytes',
        contentType: multiplexed ? 'application/vnd.docker.multiplexed-stream' : 'application/vnd.docker.raw-stream',
        chunks: logChunks(found, {
          timestamps: call.query.timestamps === true,
          details: call.query.details === true,
        }),
      };
    }),
  ];
}
