import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OperationEnd, OperationHandle, OperationStart } from '../../core/operation/operation-handle.ts';
import { bindSocket, claimSocketPath, shareSocket } from '../../host/socket-path.ts';
import type { Log } from '../../lib/log.ts';
import type { ApiLimits } from '../api-limits.ts';
import type { Route } from '../route.ts';
import { createApi, type Api } from '../server.ts';
import { RawClient } from './raw-client.ts';

export interface RecordedOperation extends OperationStart {
  readonly wantedId: string | undefined;
  readonly id: string;
  end: OperationEnd | undefined;
  left: boolean;
  boundMs: number | undefined;
}

export interface ApiScene extends AsyncDisposable {
  readonly api: Api;
  readonly path: string;
  readonly operations: RecordedOperation[];
  /** Names of what was logged, with a `!` behind failures. */
  readonly logged: string[];
  connect(): RawClient;
}

/** The API on a unix socket of its own, with a ledger and a log that remember. */
export async function apiScene(routes: readonly Route[], limits: Partial<ApiLimits> = {}): Promise<ApiScene> {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-api-'));
  const path = join(folder, 'api.sock');
  const operations: RecordedOperation[] = [];
  const logged: string[] = [];
  const clients: RawClient[] = [];
  const log: Log = {
    detail() {},
    event: (name) => void logged.push(name),
    warning: (name) => void logged.push(name),
    failure: (name, error) => void logged.push(`${name}! ${String(error)}`),
  };
  const api = createApi({
    routes,
    limits,
    log,
    operations: { begin: (start) => remember(start, operations) },
    engineVersion: '0.1.0',
    peerOf: () => ({ pid: 1, uid: 2, gid: 3 }),
    socketPaths: { claim: claimSocketPath, bind: bindSocket, share: shareSocket },
  });
  await api.listen({ kind: 'unix', path });
  return {
    api,
    path,
    operations,
    logged,
    connect: () => {
      const client = new RawClient(path);
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client[Symbol.dispose]();
      await api.close(100);
      await rm(folder, { recursive: true });
    },
  };
}

function remember(start: OperationStart, operations: RecordedOperation[]): OperationHandle {
  const operation: RecordedOperation = {
    ...start,
    wantedId: start.id,
    id: `op${operations.length + 1}`,
    end: undefined,
    left: false,
    boundMs: undefined,
  };
  operations.push(operation);
  return {
    id: operation.id,
    verb: start.verb,
    get boundMs() {
      return operation.boundMs;
    },
    target() {},
    grace() {},
    bound: (ms) => {
      operation.boundMs = ms;
    },
    phase() {},
    stopped() {},
    callerLeft: () => {
      operation.left = true;
    },
    end: (end) => {
      operation.end ??= end;
    },
  };
}
