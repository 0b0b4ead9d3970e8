import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { followContainer, requireTerminal } from './follow-container.ts';

/** `fairlead attach` */
export const attachCommand: Command = {
  name: 'attach',
  usage: '[OPTIONS] CONTAINER',
  summary: 'Attach local standard input, output, and error streams to a running container',
  args: exactly(1),
  define(flags) {
    const detachKeys = flags.add('detach-keys', 'Override the key sequence for detaching a container', text());
    const noStdin = flags.add('no-stdin', 'Do not attach STDIN', toggle());
    const sigProxy = flags.add('sig-proxy', 'Proxy all received signals to the process (default true)', toggle(true));
    return async (context, [ref = '']) => {
      const { containers } = await context.client();
      const { Id: id, Config, State } = await containers.inspect(ref);
      if (!State.Running) throw new ExitError(EXIT_FAILURE, 'cannot attach to a stopped container, start it first');
      if (State.Paused) throw new ExitError(EXIT_FAILURE, 'cannot attach to a paused container, unpause it first');
      if (State.Restarting)
        throw new ExitError(EXIT_FAILURE, 'cannot attach to a restarting container, wait until it is running');
      const tty = Config.Tty === true;
      const stdin = Config.OpenStdin === true && !noStdin.value;
      requireTerminal(context, { tty, stdin });
      const ended = await containers.openWait(id);
      await using session = await containers.attach(id, {
        stdin,
        stdout: true,
        stderr: true,
        tty,
        detachKeys: detachKeys.value,
      });
      const end = await followContainer(context, session, {
        id,
        stdin,
        detachKeys: detachKeys.value,
        sigProxy: sigProxy.value,
        redraw: tty,
        started: Promise.resolve(),
      });
      if (end === 'detached') throw new ExitError(EXIT_FAILURE, 'read escape sequence');
      return await ended.exitCode;
    };
  },
};
