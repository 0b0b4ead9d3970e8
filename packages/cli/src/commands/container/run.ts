import type { OpenWait } from '@fairlead/client';
import { atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_USAGE, ExitError, failureText, startFailureExitCode } from '../../exit-codes.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { PROGRAM } from '../../help.ts';
import { seeHelp } from '../../program.ts';
import { createContainer } from './create-container.ts';
import { followContainer, requireTerminal } from './follow-container.ts';
import { containerFlags, type ContainerRequest } from './run-flags.ts';

/** `fairlead run` */
export const runCommand: Command = {
  name: 'run',
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create and run a new container from an image',
  args: atLeast(1),
  stopAtFirstArgument: true,
  define(flags) {
    const read = containerFlags(flags);
    const detach = flags.add('detach,d', 'Run container in background and print container ID', toggle());
    const detachKeys = flags.add('detach-keys', 'Override the key sequence for detaching a container', text());
    const sigProxy = flags.add('sig-proxy', 'Proxy received signals to the process (default true)', toggle(true));
    return async (context, args) => {
      const request = await read(args, { env: context.env, attached: !detach.value });
      const { Tty: tty = false, OpenStdin: stdin = false } = request.body;
      if (!detach.value) requireTerminal(context, { tty: tty === true, stdin: stdin === true });
      try {
        const id = await createContainer(context, request);
        if (detach.value) return await startDetached(context, id);
        const options = { detachKeys: detachKeys.value, sigProxy: sigProxy.value };
        return await runAttached(context, { id, request, ...options });
      } catch (error) {
        throw refusal(error);
      }
    };
  },
};

/** Docker's way of saying that nothing ran. */
function refusal(error: unknown): unknown {
  if (!(error instanceof Error) || !('kind' in error || error instanceof ExitError)) return error;
  const message = failureText(error);
  const exitCode = error instanceof ExitError ? EXIT_USAGE : startFailureExitCode(message);
  return new ExitError(exitCode, `${PROGRAM}: ${message}\n\n${seeHelp('run')}`, { cause: error });
}

async function startDetached(context: CliContext, id: string): Promise<number> {
  await (await context.client()).containers.start(id);
  await context.out(`${id}\n`);
  return 0;
}

interface AttachedRun {
  readonly id: string;
  readonly request: ContainerRequest;
  readonly detachKeys: string;
  readonly sigProxy: boolean;
}

/** Attach and wait are open before the start, so that nothing of a short life is missed. */
async function runAttached(context: CliContext, run: AttachedRun): Promise<number> {
  const { id, request } = run;
  const { containers } = await context.client();
  const stdin = request.body.OpenStdin === true;
  const autoRemove = request.body.HostConfig?.AutoRemove === true;
  const tty = request.body.Tty === true;
  await using session = await containers.attach(id, {
    stdin,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: run.detachKeys,
  });
  const ended = await containers.openWait(id, { condition: autoRemove ? 'removed' : 'next-exit' });
  const started = Promise.withResolvers<void>();
  started.promise.catch(() => {});
  // Input may be on its way before the start: the engine keeps it for the process.
  const following = followContainer(context, session, {
    id,
    stdin,
    detachKeys: run.detachKeys,
    sigProxy: run.sigProxy,
    started: started.promise,
  });
  following.catch(() => {});
  try {
    await containers.start(id);
    started.resolve();
  } catch (error) {
    started.reject(error);
    // Else a script that runs the same name again at once would find it taken.
    if (autoRemove) await removal(ended);
    throw error;
  }
  if ((await following) === 'detached') return 0;
  return await ended.exitCode;
}

async function removal(ended: OpenWait): Promise<void> {
  await ended.exitCode.catch(() => {});
}
