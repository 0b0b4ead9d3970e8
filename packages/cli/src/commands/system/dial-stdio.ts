import type { Readable, Writable } from 'node:stream';
import { writeAll } from '@fairlead/client';
import { type Command, noArguments } from '../../command.ts';

/**
 * `fairlead system dial-stdio`: what clients run over ssh (`ssh HOST docker system dial-stdio`).
 *
 * The end of its input is a half-close; it ends when the engine has said everything.
 */
export const dialStdioCommand: Command = {
  name: 'system dial-stdio',
  usage: '',
  summary: 'Join standard input and output to the engine: for clients that come by ssh',
  args: noArguments,
  define() {
    return async (context) => {
      const client = await context.client();
      const connection = await client.dial(new AbortController().signal);
      const { stdin, stdout } = context.terminal;
      // Whoever gave us our output has gone: nobody hears the engine any more.
      stdout.once('close', () => connection.destroy());
      const input = copy(stdin, connection).then(
        () => connection.end(),
        // The engine reads no more: what it still has to say counts.
        () => undefined,
      );
      // The engine has the last word: what is typed after it goes nowhere.
      await copy(connection, stdout);
      connection.destroy();
      void input;
      return 0;
    };
  },
};

async function copy(from: Readable, to: Writable): Promise<void> {
  const chunks: AsyncIterable<Uint8Array> = from.iterator({ destroyOnReturn: false });
  for await (const bytes of chunks) await writeAll(to, bytes);
}
