import type { FleetCommand } from '@fairlead/protocol/fleet';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { graceMsOf } from '../../flags/duration.ts';
import { FlagSet } from '../../flags/flag-set.ts';
import { integer, list, text, toggle } from '../../flags/flag-types.ts';

/**
 * Reads what stands behind `--` as one command for a host: `restart -t 20 web`, `exec web sh -c 'date'`, `pull busybox`.
 *
 * @throws ExitError for a verb that hosts are not asked for, FlagError for its flags.
 */
export function parseFleetCommand(words: readonly string[]): FleetCommand {
  const [verb = '', ...rest] = words;
  switch (verb) {
    case 'stop':
    case 'restart':
      return stopLike(verb, rest);
    case 'start':
    case 'pause':
    case 'unpause':
      return { verb, container: only(verb, plain(rest), 'CONTAINER') };
    case 'kill':
      return kill(rest);
    case 'rm':
    case 'remove':
      return remove(rest);
    case 'rename': {
      const [container, name] = plain(rest);
      return { verb, container: given(verb, container, 'CONTAINER'), name: given(verb, name, 'NAME') };
    }
    case 'exec':
      return exec(rest);
    case 'pull':
      return { verb, image: only(verb, plain(rest), 'IMAGE') };
    case 'noop':
      return { verb };
    default:
      throw new ExitError(EXIT_USAGE, `a host can be asked to ${VERBS.join(', ')}, not to ${JSON.stringify(verb)}`);
  }
}

const VERBS = ['start', 'stop', 'restart', 'kill', 'rm', 'pause', 'unpause', 'rename', 'exec', 'pull', 'noop'];

function stopLike(verb: 'stop' | 'restart', words: readonly string[]): FleetCommand {
  const flags = new FlagSet();
  const signal = flags.add('signal,s', '', text());
  const time = flags.add('time,t', '', integer());
  const container = only(verb, flags.parse(words, { stopAtFirstArgument: false }), 'CONTAINER');
  const graceMs = graceMsOf(time.value);
  return {
    verb,
    container,
    ...(graceMs === undefined ? {} : { graceMs: graceMs === Infinity ? null : graceMs }),
    ...(signal.value === '' ? {} : { signal: signal.value }),
  };
}

function kill(words: readonly string[]): FleetCommand {
  const flags = new FlagSet();
  const signal = flags.add('signal,s', '', text());
  const container = only('kill', flags.parse(words, { stopAtFirstArgument: false }), 'CONTAINER');
  return { verb: 'kill', container, ...(signal.value === '' ? {} : { signal: signal.value }) };
}

function remove(words: readonly string[]): FleetCommand {
  const flags = new FlagSet();
  const force = flags.add('force,f', '', toggle());
  const volumes = flags.add('volumes,v', '', toggle());
  const container = only('rm', flags.parse(words, { stopAtFirstArgument: false }), 'CONTAINER');
  return { verb: 'remove', container, force: force.value, volumes: volumes.value };
}

function exec(words: readonly string[]): FleetCommand {
  const flags = new FlagSet();
  const env = flags.add('env,e', '', list());
  const user = flags.add('user,u', '', text());
  const workingDir = flags.add('workdir,w', '', text());
  const [container, ...argv] = flags.parse(words, { stopAtFirstArgument: true });
  given('exec', argv[0], 'COMMAND');
  return {
    verb: 'exec',
    container: given('exec', container, 'CONTAINER'),
    argv,
    ...(env.value.length === 0 ? {} : { env: env.value }),
    ...(user.value === '' ? {} : { user: user.value }),
    ...(workingDir.value === '' ? {} : { workingDir: workingDir.value }),
  };
}

function plain(words: readonly string[]): readonly string[] {
  return new FlagSet().parse(words, { stopAtFirstArgument: false });
}

function only(verb: string, words: readonly string[], what: string): string {
  if (words.length > 1) throw new ExitError(EXIT_USAGE, `${verb} takes one ${what}`);
  return given(verb, words[0], what);
}

function given(verb: string, word: string | undefined, what: string): string {
  if (word === undefined) throw new ExitError(EXIT_USAGE, `${verb} needs a ${what}`);
  return word;
}
