import { atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError, failureText } from '../../exit-codes.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { followContainer, requireTerminal } from './follow-container.ts';

/** `fairlead start` */
export const startCommand: Command = {
  name: 'start',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Start one or more stopped containers',
  args: atLeast(1),
  define(flags) {
    const attach = flags.add('attach,a', 'Attach STDOUT/STDERR and forward signals', toggle());
    const interactive = flags.add('interactive,i', "Attach container's STDIN", toggle());
    const detachKeys = flags.add('detach-keys', 'Override the key sequence for detaching a container', text());
    const sigProxy = flags.add('sig-proxy', 'Proxy received signals to the process (default true)', toggle(true));
    return async (context, refs) => {
      if (!attach.value && !interactive.value) return await startAll(context, refs);
      const [ref = ''] = refs;
      if (refs.length > 1) throw new ExitError(EXIT_FAILURE, 'you cannot start and attach multiple containers at once');
      return await startAttached(context, ref, {
        stdin: interactive.value,
        detachKeys: detachKeys.value,
        sigProxy: sigProxy.value,
      });
    };
  },
};

async function startAll(context: CliContext, refs: readonly string[]): Promise<number> {
  const containers = await context.verbs();
  const failed: string[] = [];
  for (const ref of refs) {
    try {
      await containers.start(ref);
      await context.out(`${ref}\n`);
    } catch (error) {
      await context.err(failureText(error));
      failed.push(ref);
    }
  }
  if (failed.length === 0) return 0;
  await context.err(`Error: failed to start containers: ${failed.join(', ')}`);
  return EXIT_FAILURE;
}

async function startAttached(
  context: CliContext,
  ref: string,
  options: { readonly stdin: boolean; readonly detachKeys: string; readonly sigProxy: boolean },
): Promise<number> {
  const { containers } = await context.client();
  const { Id: id, Config, HostConfig } = await containers.inspect(ref);
  const tty = Config.Tty === true;
  const stdin = options.stdin && Config.OpenStdin === true;
  requireTerminal(context, { tty, stdin });
  await using session = await containers.attach(id, {
    stdin,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: options.detachKeys,
  });
  const ended = await containers.openWait(id, { condition: HostConfig.AutoRemove === true ? 'removed' : 'next-exit' });
  const started = Promise.withResolvers<void>();
  started.promise.catch(() => {});
  const following = followContainer(context, session, { ...options, id, stdin, started: started.promise });
  following.catch(() => {});
  try {
    await containers.start(id);
    started.resolve();
  } catch (error) {
    started.reject(error);
    throw error;
  }
  return (await following) === 'detached' ? 0 : await ended.exitCode;
}
