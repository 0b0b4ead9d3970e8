import { EngineError, execEndpoints, type ConsoleSize } from '@fairlead/protocol';
import { createExec } from '../../core/exec/create.ts';
import type { ExecDeps } from '../../core/exec/deps.ts';
import { inspectExec } from '../../core/exec/inspect.ts';
import { resizeExec } from '../../core/exec/resize.ts';
import { claimExec, startDetachedExec, startExec, type ClaimedExec } from '../../core/exec/start.ts';
import type { ConsoleConnection, TerminalSize } from '../../core/ports/console.ts';
import { route, type HijackReply, type Route } from '../route.ts';
import { terminalSize } from './terminal-size.ts';

/** `/containers/{id}/exec` and everything under `/exec`. Source: engine-api 5. */
export function execRoutes(deps: ExecDeps): readonly Route[] {
  return [
    route(execEndpoints.create, async (call) => {
      const { id, actor } = createExec(deps, call.param('id'), call.body);
      call.operation?.target({ Type: 'exec', Id: id, Name: actor.record.name });
      return { kind: 'json', body: { Id: id } };
    }),
    route(execEndpoints.start, async (call) => {
      const claimed = claimExec(deps, call.param('id'));
      call.operation?.target({ Type: 'exec', Id: claimed.session.id, Name: claimed.actor.record.name });
      if (call.body.Detach) {
        await startDetachedExec(deps, claimed);
        return { kind: 'empty', status: 200 };
      }
      const asked = call.body.ConsoleSize ?? claimed.session.config.ConsoleSize;
      return execReply(deps, claimed, { tty: call.body.Tty, size: sizeOf(asked) });
    }),
    route(execEndpoints.resize, async (call) => {
      const size = terminalSize(call.query);
      await resizeExec(deps, call.param('id'), { size, signal: call.hangup });
      return { kind: 'empty' };
    }),
    route(execEndpoints.inspect, async (call) => ({ kind: 'json', body: inspectExec(deps, call.param('id')) })),
  ];
}

/** Framing follows the start request's Tty; what the process has follows the create's. Source: engine-api 5.2. */
function execReply(
  deps: ExecDeps,
  claimed: ClaimedExec,
  start: { readonly tty: boolean; readonly size: TerminalSize | undefined },
): HijackReply {
  const { session, actor } = claimed;
  const { AttachStdin, AttachStdout, AttachStderr, Tty } = session.config;
  return {
    kind: 'hijack',
    head: 'exec',
    framing: start.tty ? 'raw' : 'stdcopy',
    streams: { stdin: AttachStdin, stdout: AttachStdout, stderr: AttachStderr && !(start.tty && !Tty) },
    detachKeys: Tty && AttachStdin ? session.detachKeys : undefined,
    onHalfClose: !AttachStdin ? 'ignore' : Tty ? 'close-stream' : 'end-input',
    open: async () => {
      if (AttachStdin || AttachStdout || AttachStderr) return await startExec(deps, claimed, start.size);
      await startDetachedExec(deps, claimed);
      return NOTHING_ATTACHED;
    },
    ended(ending) {
      if (ending.by === 'detach-keys') deps.publish(actor.record, 'exec_detach', { execID: session.id });
    },
  };
}

/** Nobody asked for a stream: the program runs, and the connection ends. Source: engine-api 5.4. */
const NOTHING_ATTACHED: ConsoleConnection = {
  output: (async function* () {})(),
  async write() {},
  async endInput() {},
  async [Symbol.asyncDispose]() {},
};

function sizeOf(size: ConsoleSize | null): TerminalSize | undefined {
  if (size === null) return undefined;
  const [rows, columns] = size;
  if (rows < 0 || columns < 0 || rows > 0xffff || columns > 0xffff) {
    throw new EngineError('invalid-argument', `invalid console size [${rows},${columns}]`);
  }
  return rows === 0 && columns === 0 ? undefined : { rows, columns };
}
