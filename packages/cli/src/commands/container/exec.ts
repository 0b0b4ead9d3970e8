import type { ProgramOptions, SpawnOptions, TerminalSize } from '@fairlead/client';
import { atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { checkedList, list, text, toggle } from '../../flags/flag-types.ts';
import { requireTerminal } from './follow-container.ts';
import { checkEnv, readEnv, readEnvFiles } from './run-values.ts';

/** `fairlead exec` */
export const execCommand: Command = {
  name: 'exec',
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  summary: 'Execute a command in a running container',
  args: atLeast(2),
  stopAtFirstArgument: true,
  define(flags) {
    const detach = flags.add('detach,d', 'Detached mode: run command in the background', toggle());
    const detachKeys = flags.add('detach-keys', 'Override the key sequence for detaching a container', text());
    const envs = flags.add('env,e', 'Set environment variables', checkedList(checkEnv));
    const envFiles = flags.add('env-file', 'Read in a file of environment variables', list());
    const interactive = flags.add('interactive,i', 'Keep STDIN open even if not attached', toggle());
    const privileged = flags.add('privileged', 'Give extended privileges to the command', toggle());
    const tty = flags.add('tty,t', 'Allocate a pseudo-TTY', toggle());
    const user = flags.add('user,u', 'Username or UID (format: "<name|uid>[:<group|gid>]")', text());
    const workdir = flags.add('workdir,w', 'Working directory inside the container', text());
    return async (context, [ref = '', ...command]) => {
      const env = [...(await readEnvFiles(envFiles.value, context.env)), ...readEnv(envs.value, context.env)];
      const options: ProgramOptions = {
        env: env.length > 0 ? env : undefined,
        user: user.value,
        workingDir: workdir.value,
        privileged: privileged.value,
      };
      if (!detach.value) {
        const terminal = { tty: tty.value, stdin: interactive.value, detachKeys: detachKeys.value };
        return await execAttached(context, { ref, command }, { ...options, ...terminal });
      }
      await (await context.client()).containers.launch(ref, command, { ...options, tty: tty.value });
      return 0;
    };
  },
};

interface Program {
  readonly ref: string;
  readonly command: readonly string[];
}

async function execAttached(context: CliContext, program: Program, options: SpawnOptions): Promise<number> {
  const { containers } = await context.client();
  const { ref, command } = program;
  const { tty = false, stdin = false } = options;
  // An unknown container is told before a missing terminal, as Docker does.
  if (tty && stdin && context.terminal.stdin.isTTY !== true) await containers.inspect(ref);
  requireTerminal(context, { tty, stdin });
  const size = tty ? terminalSize(context) : undefined;
  await using session = await containers.spawn(ref, command, { ...options, size });
  const end = await session.pipeTerminal(context.terminal, {
    onResizeFailed: () => void context.err('failed to resize tty, using default size'),
  });
  if (end === 'detached') throw new ExitError(EXIT_FAILURE, 'read escape sequence');
  return await session.exitCode();
}

function terminalSize(context: CliContext): TerminalSize | undefined {
  const { rows, columns } = context.terminal.stdout;
  return rows === undefined || columns === undefined ? undefined : { rows, columns };
}
