import { fairleadEndpoints, isEngineError, type ContainerRef, type Operation } from '@fairlead/protocol';
import type { OperationLedger, OperationSubject } from '../../core/operation/ledger.ts';
import { Hangup } from '../hangup.ts';
import { route, type Route } from '../route.ts';

export interface OperationRoutesDeps {
  readonly ledger: Pick<OperationLedger, 'list' | 'feed' | 'get' | 'wait' | 'follow'>;
  /** The id that a container's name, id or prefix stands for. @throws EngineError 'not-found'. */
  readonly containerIdOf: (ref: ContainerRef) => string;
}

/** The ledger of everything that changed something. Source: deadlines.md, rule 8. */
export function operationRoutes({ ledger, containerIdOf }: OperationRoutesDeps): readonly Route[] {
  return [
    route(fairleadEndpoints.operations, async ({ query: { container, limit } }) => {
      const about = container === undefined ? undefined : subjectOf(container, containerIdOf);
      const body = ledger.list({ limit, about });
      // Nobody has ever heard of it: then it is told as for every other verb.
      if (body.length === 0 && container !== undefined) containerIdOf(container);
      return { kind: 'json', body };
    }),
    route(fairleadEndpoints.followOperations, async ({ query: { container }, hangup }) => {
      const about = container === undefined ? undefined : subjectOf(container, containerIdOf);
      return { kind: 'json-stream', items: ledger.feed(about, hangup) };
    }),
    route(fairleadEndpoints.operation, async (call) => ({ kind: 'json', body: ledger.get(call.param('id')) })),
    route(fairleadEndpoints.waitOperation, async (call) => {
      const id = call.param('id');
      // Refused before the head, not in the middle of the stream.
      ledger.get(id);
      if (call.query.phases === true)
        return { kind: 'json-stream', items: untilHangup(ledger.follow(id, call.hangup)) };
      const done = ledger.wait(id, call.hangup);
      // Told in the stream; nobody may be pulling it yet when it rejects.
      done.catch(() => {});
      return { kind: 'json-stream', items: untilHangup(once(done)) };
    }),
  ];
}

/** Also of a container that is removed, or still to come: those have only the name. */
function subjectOf(ref: ContainerRef, containerIdOf: (ref: ContainerRef) => string): OperationSubject {
  try {
    return { ref, id: containerIdOf(ref) };
  } catch (error) {
    if (!isEngineError(error) || error.kind !== 'not-found') throw error;
    return { ref, id: undefined };
  }
}

async function* once(done: Promise<Operation>): AsyncGenerator<Operation> {
  yield await done;
}

async function* untilHangup(operations: AsyncGenerator<Operation>): AsyncGenerator<Operation> {
  try {
    yield* operations;
  } catch (error) {
    // The caller left; the operation goes on and nobody is there to be told.
    if (!(error instanceof Hangup)) throw error;
  }
}
