import { containerEndpoints, EngineError, versionAtLeast, type WaitResponse } from '@fairlead/protocol';
import type { RunResult } from '../../core/container/state.ts';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { waitForContainer, type WaitCondition } from '../../core/container/wait.ts';
import { route, type Route } from '../route.ts';

/**
 * `POST /containers/{id}/wait`: the waiter is registered, then the head is sent, then it waits. Before 1.30 there were no conditions,
 * and the head came with the answer. Source: engine-api 4.
 */
export function waitRoute(deps: Pick<ContainerDeps, 'directory'>): Route {
  return route(containerEndpoints.wait, async (call) => {
    const isOlder = !versionAtLeast(call.apiVersion, '1.30');
    const condition = isOlder ? 'not-running' : waitCondition(call.query.condition);
    const { result } = waitForContainer(deps, call.param('id'), { condition, signal: call.hangup });
    const answered = answer(result, call.hangup);
    // Told in the stream; nobody may be pulling it yet when it rejects.
    answered.catch(() => {});
    return isOlder ? { kind: 'json', body: await answered } : { kind: 'json-stream', items: once(answered) };
  });
}

function waitCondition(text: string | undefined): WaitCondition {
  switch (text) {
    case undefined:
    case 'not-running':
      return 'not-running';
    case 'next-exit':
    case 'removed':
      return text;
    default:
      throw new EngineError('invalid-argument', `invalid condition: "${text}"`);
  }
}

async function answer(result: Promise<RunResult>, hangup: AbortSignal): Promise<WaitResponse> {
  try {
    const { exitCode, error } = await result;
    return { StatusCode: exitCode, ...(error === undefined ? {} : { Error: { Message: error } }) };
  } catch (cause) {
    if (!hangup.aborted) throw cause;
    // What Docker says to a client that only half-closed.
    return { StatusCode: -1, Error: { Message: 'context canceled' } };
  }
}

async function* once<T>(item: Promise<T>): AsyncGenerator<T> {
  yield await item;
}
