import { findCommand, GROUPS } from './catalog.ts';
import type { ArgumentCount, Command } from './command.ts';
import type { CliContext, GlobalFlags } from './context.ts';
import { EXIT_BROKEN_PIPE, EXIT_FAILURE, EXIT_USAGE, ExitError, failureText } from './exit-codes.ts';
import { FlagError } from './flags/flag-error.ts';
import { FlagSet, HelpAsked } from './flags/flag-set.ts';
import { list, parsed, text, toggle } from './flags/flag-types.ts';
import { commandHelp, groupHelp, PROGRAM, programHelp, usageLine } from './help.ts';
import { VERSION } from './version.ts';

/** Makes a command's context once the global flags are read. */
export type MakeContext = (global: GlobalFlags) => CliContext;

/** Runs one command line to its end and gives back the exit code. Whatever fails is told on standard error. */
export async function runProgram(argv: readonly string[], makeContext: MakeContext): Promise<number> {
  const globals = new FlagSet();
  const hosts = globals.add('host,H', 'Engine to talk to: unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST', list());
  const context = globals.add(
    'context,c',
    'Engine to talk to: the name of a context of docker',
    parsed('string', String),
  );
  const on = globals.add('on', 'Host of the fleet to work on, or a selector of several: role=web, all', text());
  const version = globals.add('version,v', 'Print the version and quit', toggle());
  const early = makeContext({ hosts: [], context: undefined });
  try {
    const words = globals.parse(argv, { stopAtFirstArgument: true });
    if (version.value) return await print(early, `Fairlead version ${VERSION}\n`);
    if (words.length === 0) return await print(early, programHelp(globals));
    const global = { hosts: hosts.value, context: context.value || undefined, on: on.value || undefined };
    return await runOn(words, makeContext(global));
  } catch (error) {
    if (error instanceof HelpAsked) return await print(early, programHelp(globals));
    if (!(error instanceof FlagError)) return await tell(early, error);
    await early.err(
      `${error.message}\n\nUsage:  ${PROGRAM} [OPTIONS] COMMAND [ARG...]\n\nRun '${PROGRAM} --help' for more information`,
    );
    return EXIT_USAGE;
  }
}

/** On the engine that is named, or on the hosts of a fleet. */
async function runOn(words: readonly string[], context: CliContext): Promise<number> {
  const { on, hosts, context: named } = context;
  if (on === undefined) return await runWords(words, context);
  if (hosts.length > 0 || named !== undefined)
    throw new ExitError(EXIT_USAGE, 'conflicting options: --on names the engine');
  // Loaded when it is asked for: most command lines have no fleet.
  const { isSelector, onEachHost } = await import('./on-host/each-host.ts');
  if (isSelector(on)) return await onEachHost(context, on, (each) => runWords(words, each));
  const { hostContext } = await import('./on-host/host-context.ts');
  return await runWords(words, hostContext(context, on));
}

async function runWords(words: readonly string[], context: CliContext): Promise<number> {
  const asksHelp = words[0] === 'help';
  const found = findCommand(asksHelp ? words.slice(1) : words);
  if (found === undefined) return await unknownCommand(words, context, asksHelp);
  const command: Command = { ...(await found.entry.load()), name: found.name };
  if (asksHelp) return await print(context, commandHelp(found.entry, command));
  const flags = new FlagSet();
  const action = command.define(flags);
  try {
    const args = flags.parse(found.rest, { stopAtFirstArgument: command.stopAtFirstArgument ?? false });
    const wrong = wrongCount(command, args.length);
    if (wrong === undefined) return await action(context, args);
    await context.err(
      `${PROGRAM}: ${wrong}\n\n${usageLine(command)}\n\nSee '${PROGRAM} ${command.name} --help' for more information`,
    );
    return EXIT_FAILURE;
  } catch (error) {
    if (error instanceof HelpAsked) return await print(context, commandHelp(found.entry, command));
    if (!(error instanceof FlagError)) return await tell(context, error);
    await context.err(`${error.message}\n\n${usageLine(command)}\n\n${seeHelp(command.name)}`);
    return EXIT_USAGE;
  }
}

/** The line under a failure that more reading may help with. */
export function seeHelp(name: string): string {
  return `Run '${PROGRAM} ${name} --help' for more information`;
}

async function unknownCommand(words: readonly string[], context: CliContext, asksHelp: boolean): Promise<number> {
  const [first = '', second] = asksHelp ? words.slice(1) : words;
  if (first === '' || (GROUPS.has(first) && (second === undefined || second === '--help'))) {
    if (first === '') return await runProgram(['--help'], () => context);
    return await print(context, groupHelp(first));
  }
  const typed = GROUPS.has(first) && second !== undefined ? `${first} ${second}` : first;
  await context.err(`${PROGRAM}: unknown command: ${PROGRAM} ${typed}\n\nRun '${PROGRAM} --help' for more information`);
  return EXIT_FAILURE;
}

function wrongCount(command: Command, count: number): string | undefined {
  const { min, max } = command.args;
  if (count >= min && count <= max) return undefined;
  const name = `'${PROGRAM} ${command.name}'`;
  if (max === 0) return `${name} accepts no arguments`;
  return `${name} requires ${amount(command.args)}`;
}

/** Source: docker/cli cli/required.go. */
function amount({ min, max }: ArgumentCount): string {
  const plural = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;
  if (min === max) return plural(min);
  if (max === Infinity) return `at least ${plural(min)}`;
  return min === 0 ? `at most ${plural(max)}` : `at least ${min} and at most ${plural(max)}`;
}

async function print(context: CliContext, text: string): Promise<number> {
  await context.out(text);
  return 0;
}

async function tell(context: CliContext, error: unknown): Promise<number> {
  if (isBrokenPipe(error)) return EXIT_BROKEN_PIPE;
  const message = error instanceof ExitError ? error.message : failureText(error);
  if (message !== '') await context.err(message);
  return error instanceof ExitError ? error.exitCode : EXIT_FAILURE;
}

function isBrokenPipe(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'EPIPE' &&
    'syscall' in error &&
    error.syscall === 'write'
  );
}
