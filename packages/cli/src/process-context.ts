import type { Client } from '@fairlead/client';
import { writeAll } from '@fairlead/client';
import type { CliContext, GlobalFlags } from './context.ts';
import { connectToEngine } from './engine-autostart.ts';

/** The context of a real command line: this process's streams and environment. */
export function processContext(global: GlobalFlags): CliContext {
  const { stdin, stdout, stderr, env } = process;
  // Errors of writes are told to whoever wrote; without a listener they would end the process first.
  for (const stream of [stdout, stderr]) if (stream.listenerCount('error') === 0) stream.on('error', () => {});
  const err = (line: string): Promise<void> => writeAll(stderr, `${line}\n`);
  let client: Promise<Client> | undefined;
  const open = (): Promise<Client> => (client ??= connectToEngine({ ...global, env, tell: err }));
  return {
    terminal: { stdin, stdout, stderr },
    env,
    ...global,
    client: open,
    verbs: async () => (await open()).containers,
    out: (text) => writeAll(stdout, text),
    err,
  };
}
