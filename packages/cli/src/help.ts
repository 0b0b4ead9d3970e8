import { CATALOG } from './catalog.ts';
import type { CatalogEntry } from './catalog/catalog-entry.ts';
import type { Command } from './command.ts';
import { type FlagHelp, FlagSet } from './flags/flag-set.ts';

/** How this program is called. */
export const PROGRAM = 'fairlead';

/** `Usage:  fairlead stop [OPTIONS] CONTAINER [CONTAINER...]` */
export function usageLine(command: Command): string {
  return `Usage:  ${PROGRAM} ${command.name} ${command.usage}`.trimEnd();
}

/** The whole help of one command. */
export function commandHelp(entry: CatalogEntry, command: Command): string {
  const flags = new FlagSet();
  command.define(flags);
  const lines = [usageLine(command), '', command.summary];
  if (entry.names.length > 1) {
    const names = entry.names.toReversed().map((name) => `${PROGRAM} ${name}`);
    lines.push('', 'Aliases:', `  ${names.join(', ')}`);
  }
  const described = flags.describe();
  if (described.length > 0) lines.push('', 'Options:', ...flagLines(described));
  return `${lines.join('\n')}\n`;
}

/** The help of a group (`container`, `fleet`): its commands by their first names there, in the alphabet's order. */
export function groupHelp(group: string): string {
  const prefix = `${group} `;
  const commands = CATALOG.flatMap(({ names, summary }) => {
    const name = names.find((each) => each.startsWith(prefix))?.slice(prefix.length);
    return name === undefined ? [] : [{ name, summary }];
  });
  const sorted = commands.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `Usage:  ${PROGRAM} ${group} COMMAND`,
    '',
    'Commands:',
    ...commandLines(sorted),
    '',
    `Run '${PROGRAM} ${group} COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}

/** The help of the program: its commands. */
export function programHelp(globals: FlagSet): string {
  const commands = commandLines(CATALOG.map(({ names: [name], summary }) => ({ name, summary })));
  return [
    `Usage:  ${PROGRAM} [OPTIONS] COMMAND`,
    '',
    'Containers, and the truth about how they ended',
    '',
    'Commands:',
    ...commands,
    '',
    'Global Options:',
    ...flagLines(globals.describe()),
    '',
    `Run '${PROGRAM} COMMAND --help' for more information on a command.`,
    '',
  ].join('\n');
}

function commandLines(commands: readonly { readonly name: string; readonly summary: string }[]): readonly string[] {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
}

function flagLines(flags: readonly FlagHelp[]): readonly string[] {
  const heads = flags.map(({ long, short, word }) => {
    const letter = short === undefined ? '    ' : `-${short}, `;
    return `  ${letter}--${long}${word === '' ? '' : ` ${word}`}`;
  });
  const width = Math.max(...heads.map((head) => head.length));
  return flags.map(({ usage }, at) => `${(heads[at] ?? '').padEnd(width)}   ${usage}`);
}
