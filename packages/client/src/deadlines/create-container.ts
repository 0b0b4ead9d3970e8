import {
  Budget,
  type BodyInputOf,
  boundMs,
  type ContainerEndpoints,
  containerEndpoints as rows,
  type CreateContainerResponse,
  fairleadEndpoints,
  type Operation,
  OPERATION_HEADER,
  waitForBoundMs,
} from '@fairlead/protocol';
import { randomBytes } from 'node:crypto';
import { call, type CallDeps } from '../call.ts';
import { EngineOverdueError, NotFoundError } from '../errors.ts';
import type { ClientDeps, Listening } from '../groups/group.ts';
import { inspectContainer } from '../groups/watch-container.ts';
import { prepare } from './lifecycle.ts';
import { type Look, lookOf, resultOf } from './look.ts';
import type { OperationResult } from './operation-result.ts';
import { pendingText } from './pending-text.ts';
import { runBounded } from './run-bounded.ts';

/** What a create may say; every field is the engine API's. */
export type CreateBody = BodyInputOf<ContainerEndpoints['create']>;

export interface CreateOptions extends Listening {
  readonly name?: string | undefined;
}

/** A create under way, and what came of it. */
interface Creating {
  readonly operation: string;
  readonly name: string | undefined;
  readonly operationId: string | undefined;
  created: CreateContainerResponse | undefined;
}

/**
 * Makes a container. A create whose answer was lost is looked up in the ledger, where there is one, and not made twice.
 *
 * @throws RequestFailedError 'not-found' when the image is missing, 'conflict' when the name is taken; EngineOverdueError,
 * EngineUnreachableError.
 */
export async function createContainer(
  deps: ClientDeps,
  body: CreateBody,
  options: CreateOptions,
): Promise<CreateContainerResponse> {
  const { name } = options;
  const operation = name === undefined ? 'create' : `create ${name}`;
  const { allowances, asker } = await prepare(deps, operation, { signal: options.signal });
  const { isFairlead } = await deps.negotiation.traits(asker.caller);
  const operationId = isFairlead ? randomBytes(16).toString('hex') : undefined;
  const creating: Creating = { operation, name, operationId, created: undefined };
  const bound = boundMs('create', allowances);
  await runBounded(
    deps,
    {
      operation,
      boundMs: Promise.resolve(bound),
      patience: Budget.endless(),
      attempt: (signal) => attempt(deps, { body, creating, bound }, signal),
      look: (fresh, signal) => look(fresh, creating, signal),
      pending: (waitedMs, knownMs) => pendingText(operation, { waitedMs, boundMs: knownMs }),
      resume: (signal) => resume(deps, creating, signal),
    },
    asker.caller,
  );
  if (creating.created !== undefined) return creating.created;
  throw new EngineOverdueError(`The engine has made a container and does not say which (${operation}).`, {
    operation,
    boundMs: bound,
  });
}

async function attempt(
  deps: ClientDeps,
  asked: { readonly body: CreateBody; readonly creating: Creating; readonly bound: number },
  signal: AbortSignal,
): Promise<OperationResult> {
  const { body, creating, bound } = asked;
  const { operation, name, operationId } = creating;
  const startedMs = deps.clock.nowMs();
  const headers = operationId === undefined ? {} : { headers: { [OPERATION_HEADER]: operationId } };
  const request = { operation, query: { name }, body, signal, budgetMs: waitForBoundMs(bound), ...headers };
  const answer = await call(deps, rows.create, request);
  creating.created = answer.body;
  return resultOf(answer, deps.clock.nowMs() - startedMs);
}

async function look(fresh: CallDeps, creating: Creating, signal: AbortSignal): Promise<Look> {
  const { operationId, name } = creating;
  const underWay = (seen: string): Look => ({ kind: 'under-way', inLedger: false, seen });
  if (operationId === undefined) {
    const isThere = name !== undefined && (await exists(fresh, name, signal));
    return underWay(
      isThere ? `"${name}" is there: whether this made it cannot be told` : 'nothing shows that it was made',
    );
  }
  try {
    const asked = { operation: `operation ${operationId}`, params: { id: operationId }, signal };
    return told(creating, (await call(fresh, fairleadEndpoints.operation, asked)).body);
  } catch (error) {
    if (error instanceof NotFoundError) return underWay('it has never heard of it');
    throw error;
  }
}

async function exists(fresh: CallDeps, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await inspectContainer(fresh, name, signal);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

async function resume(deps: ClientDeps, creating: Creating, signal: AbortSignal): Promise<OperationResult> {
  const { operation, operationId = '' } = creating;
  const asked = { operation, params: { id: operationId }, signal };
  const seen = told(creating, (await call(deps, fairleadEndpoints.waitOperation, asked)).body);
  if (seen.kind === 'done') return seen.result;
  throw seen.kind === 'failed'
    ? seen.error
    : new EngineOverdueError(`It is not known what became of it (${operation}).`, { operation, boundMs: 0 });
}

function told(creating: Creating, found: Operation): Look {
  const seen = lookOf(found) ?? { kind: 'under-way', inLedger: false };
  if (seen.kind === 'done') creating.created = { Id: found.Target.Id, Warnings: [] };
  return seen;
}
