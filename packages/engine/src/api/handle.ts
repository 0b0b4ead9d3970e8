import {
  acceptVersion,
  API_VERSION,
  compareVersions,
  OPERATION_HEADER,
  parseOperationId,
  WARNING_HEADER,
  type ApiVersion,
} from '@fairlead/protocol';
import type { OperationBeginner, OperationEnd, OperationHandle } from '../core/operation/operation-handle.ts';
import type { Log } from '../lib/log.ts';
import { type BodyLimits, firstHeader } from './decode.ts';
import { engineHeaders, versionRefusedHeaders } from './engine-headers.ts';
import type { Exchange, ResponseHeaders } from './exchange.ts';
import { failureOf, HttpRefusal, sendFailure } from './fail.ts';
import { Hangup } from './hangup.ts';
import { answerNotServed, type NotServedRouter } from './not-served.ts';
import { parseTarget, type Match, type RequestPath, type Router } from './router.ts';
import type { Reply, Route } from './route.ts';
import { sendReply } from './send-reply.ts';

/** A route as the router sees it. */
export interface RoutedRoute {
  readonly method: Route['endpoint']['method'];
  readonly path: string;
  readonly unversioned?: true;
  readonly route: Route;
}

export interface HandleDeps {
  readonly router: Router<RoutedRoute>;
  readonly notServed: NotServedRouter;
  readonly operations: OperationBeginner;
  readonly log: Log;
  readonly limits: BodyLimits;
  /** Text of the `Server` header. */
  readonly server: string;
}

/** Finds the route of a request, runs it and answers. Never rejects: what goes wrong is answered and logged once. */
export async function handleExchange(deps: HandleDeps, exchange: Exchange): Promise<void> {
  // Docker's "page not found" carries no header of its own, so there is none before a route was found.
  const progress: Progress = { headers: {}, operation: undefined, budgetMs: undefined };
  try {
    const path = parseTarget(exchange.target);
    const match = deps.router.match(exchange.method, path);
    if (match === undefined) await answerUnrouted(deps, exchange, { path, progress });
    else await answerRouted(deps, exchange, { path, match, progress });
  } catch (error) {
    try {
      answerFailure(deps, exchange, { progress, error });
    } catch (cause) {
      // Not even the refusal could be written, for example for a header that HTTP does not allow.
      deps.log.failure('api.answer.failed', cause, { target: exchange.target.slice(0, TARGET_LOGGED_CHARS_MAX) });
      exchange.answer.destroy();
    }
  }
}

/** What a request has come to so far; filled in as it goes. */
interface Progress {
  headers: ResponseHeaders;
  operation: OperationHandle | undefined;
  budgetMs: number | undefined;
}

interface Routed {
  readonly path: RequestPath;
  readonly match: Match<RoutedRoute>;
  readonly progress: Progress;
}

async function answerRouted(deps: HandleDeps, exchange: Exchange, { path, match, progress }: Routed): Promise<void> {
  const { route } = match.row;
  const apiVersion = route.endpoint.unversioned === true ? API_VERSION : checkVersion(deps, path, progress);
  progress.headers = engineHeaders(deps.server);
  const { headers, bytes, bodyLength, caller, hangup } = exchange;
  const reply = await route.run({
    ...{ headers, bytes, bodyLength, caller, hangup, apiVersion },
    params: match.params,
    searchParams: path.searchParams,
    limits: deps.limits,
    setHeader: (name, value) => {
      progress.headers[name] = value;
    },
    beginOperation: ({ budgetMs }) => {
      progress.budgetMs = budgetMs;
      progress.operation = beginOperation(deps, exchange, { route, budgetMs });
      return progress.operation;
    },
  });
  const { operation } = progress;
  const isOpenEnded =
    reply.kind === 'hijack' || reply.kind === 'web-socket' || reply.kind === 'json-stream' || reply.kind === 'bytes';
  // The operation of a stream ends with it; every other one before its answer, so that who reads the answer finds it ended.
  if (!isOpenEnded) operation?.end(SUCCEEDED);
  const opened = (error?: unknown): void => operation?.end(error === undefined ? SUCCEEDED : failed(error));
  Object.assign(progress.headers, operationHeaders(progress));
  await sendReply(exchange, {
    ...deps,
    reply,
    apiVersion,
    opened,
    status: statusOf(reply, route),
    headers: progress.headers,
  });
  operation?.end(SUCCEEDED);
}

const SUCCEEDED: OperationEnd = { outcome: 'succeeded' };

function failed(error: unknown): OperationEnd {
  return { outcome: 'failed', message: failureOf(error).message };
}

function statusOf(reply: Reply, route: Route): number {
  const own = 'status' in reply ? reply.status : undefined;
  // 101 stands in the table for what only a hijack can answer.
  return own ?? route.endpoint.success.find((status) => status >= 200) ?? 200;
}

async function answerUnrouted(
  deps: HandleDeps,
  exchange: Exchange,
  { path, progress }: { readonly path: RequestPath; readonly progress: Progress },
): Promise<void> {
  const unserved = deps.notServed.match(exchange.method, path);
  if (unserved === undefined && exchange.method !== 'OPTIONS') throw new HttpRefusal(404, 'page not found');
  const apiVersion = checkVersion(deps, path, progress);
  progress.headers = engineHeaders(deps.server);
  const reply: Reply =
    unserved === undefined
      ? { kind: 'empty' }
      : { kind: 'json', body: answerNotServed(unserved, `/${path.segments.join('/')}`) };
  await sendReply(exchange, { ...deps, reply, apiVersion, status: 200, headers: progress.headers });
}

function checkVersion({ server }: HandleDeps, { version }: RequestPath, progress: Progress): ApiVersion {
  progress.headers = versionRefusedHeaders(server);
  try {
    return acceptVersion(version);
  } catch (error) {
    const isAncient = version !== undefined && compareVersions(version, PLAIN_TEXT_BELOW) < 0;
    throw new HttpRefusal(400, error instanceof Error ? error.message : String(error), isAncient ? 'plain' : 'json');
  }
}

/** Older clients read errors as plain text. Source: engine-api 1.1. */
const PLAIN_TEXT_BELOW: ApiVersion = '1.24';

function beginOperation(
  { operations }: HandleDeps,
  { headers, caller, hangup }: Exchange,
  { route, budgetMs }: { readonly route: Route; readonly budgetMs: number | undefined },
): OperationHandle | undefined {
  const verb = route.endpoint.operation;
  if (verb === undefined) return undefined;
  const id = parseOperationId(firstHeader(headers, OPERATION_HEADER));
  const operation = operations.begin({ id, verb, caller, budgetMs });
  const onHangup = (): void => {
    if (hangup.reason instanceof Hangup && hangup.reason.by !== 'draining') operation.callerLeft();
  };
  if (hangup.aborted) onHangup();
  else hangup.addEventListener('abort', onHangup, { once: true });
  return operation;
}

function operationHeaders({ operation, budgetMs }: Progress): ResponseHeaders {
  if (operation === undefined) return {};
  const { id, boundMs } = operation;
  if (budgetMs === undefined || boundMs === undefined || boundMs <= budgetMs) return { [OPERATION_HEADER]: id };
  const bound = Number.isFinite(boundMs) ? `up to ${seconds(boundMs)}` : 'without end';
  const warning = `this ${operation.verb} may take ${bound}, longer than the budget of ${seconds(budgetMs)}`;
  return { [OPERATION_HEADER]: id, [WARNING_HEADER]: warning };
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function answerFailure(
  { log }: HandleDeps,
  exchange: Exchange,
  { progress, error }: { readonly progress: Progress; readonly error: unknown },
): void {
  const { answer, method, target, caller } = exchange;
  const failure = failureOf(error);
  const { status, message } = failure;
  progress.operation?.end(status === 304 ? { outcome: 'not-modified' } : failed(error));
  Object.assign(progress.headers, operationHeaders(progress));
  const fields = { method, target: target.slice(0, TARGET_LOGGED_CHARS_MAX), status, userAgent: caller.userAgent };
  if (error instanceof Hangup) log.detail('api.request.abandoned', { ...fields, by: error.by });
  else if (failure.internal) log.failure('api.request.failed', error, fields);
  else if (status !== 304) log.event('api.request.refused', { ...fields, message });
  if (answer.destroyed) return;
  if (!answer.headersSent) return sendFailure(answer, failure, progress.headers);
  // Half an answer must not look whole: without the last chunk the client sees that it was cut.
  answer.destroy();
}

/** Ours: enough to recognise any path with its query. */
const TARGET_LOGGED_CHARS_MAX = 512;
