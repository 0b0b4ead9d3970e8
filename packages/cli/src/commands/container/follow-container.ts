import { type Client, type PipeEnd, type ProcessSession, RequestFailedError } from '@fairlead/client';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { forwardSignals } from '../../terminal/forward-signals.ts';

export interface FollowOptions {
  readonly id: string;
  /** Sends our input to the container. */
  readonly stdin: boolean;
  readonly sigProxy: boolean;
  readonly detachKeys: string;
  readonly redraw?: boolean;
  /** Resolves when the container runs: sizes and signals are of no use before. */
  readonly started: Promise<unknown>;
}

/** @throws ExitError when a terminal is wanted and ours is none. Source: docker/cli container/tty.go, CheckTty. */
export function requireTerminal(context: CliContext, wanted: { readonly tty: boolean; readonly stdin: boolean }): void {
  if (!wanted.tty || !wanted.stdin || context.terminal.stdin.isTTY === true) return;
  throw new ExitError(EXIT_FAILURE, 'the input device is not a TTY');
}

/** Joins an attached container to our terminal until it ends or the person detaches; passes signals on meanwhile. */
export async function followContainer(
  context: CliContext,
  session: ProcessSession,
  options: FollowOptions,
): Promise<PipeEnd> {
  using stack = new DisposableStack();
  if (options.sigProxy) stack.use(proxySignals(await context.client(), options));
  return await session.pipeTerminal(context.terminal, {
    stdin: options.stdin,
    detachKeys: options.detachKeys,
    started: options.started,
    ...(options.redraw === true ? { redraw: true } : {}),
    onResizeFailed: () => void context.err('failed to resize tty, using default size'),
  });
}

function proxySignals(client: Client, options: FollowOptions): Disposable {
  const send = (signal: NodeJS.Signals): void => {
    options.started
      .then(() => client.containers.kill(options.id, { stopSignal: signal.slice('SIG'.length) }))
      // It ended meanwhile; its exit code says the rest.
      .catch((error: unknown) => {
        if (!(error instanceof RequestFailedError)) process.stderr.write(`${String(error)}\n`);
      });
  };
  return forwardSignals(send, () => {
    process.stderr.write('\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
    process.exit(EXIT_FAILURE);
  });
}
