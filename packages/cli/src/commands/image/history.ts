import { humanDuration, humanSize, type ImageHistoryEntry, shortId } from '@fairlead/protocol';
import { type Command, exactly } from '../../command.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { ellipsis, goTime } from '../../format/human.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const CREATED_BY_CHARS = 45;

/** `fairlead history` */
export const historyCommand: Command = {
  name: 'history',
  usage: '[OPTIONS] IMAGE',
  summary: 'Show the history of an image',
  args: exactly(1),
  define(flags) {
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    const human = flags.add('human,H', 'Print sizes and dates in human readable format (default true)', toggle(true));
    const noTrunc = flags.add('no-trunc', "Don't truncate output", toggle());
    const quiet = flags.add('quiet,q', 'Only show image IDs', toggle());
    return async (context, [ref = '']) => {
      const entries = await (await context.client()).images.history(ref);
      const rows = entries.map((entry) => rowOf(entry, { human: human.value, noTrunc: noTrunc.value }));
      if (quiet.value) await context.out(rows.map((row) => `${row['ID']}\n`).join(''));
      else {
        const columns = [
          ['ID', 'IMAGE'] as const,
          human.value ? (['CreatedSince', 'CREATED'] as const) : (['CreatedAt', 'CREATED AT'] as const),
          ['CreatedBy', 'CREATED BY'] as const,
          ['Size', 'SIZE'] as const,
          ['Comment', 'COMMENT'] as const,
        ];
        await context.out(formatRows(rows, { format: format.value, columns }));
      }
      return 0;
    };
  },
};

function rowOf(entry: ImageHistoryEntry, shown: { readonly human: boolean; readonly noTrunc: boolean }): Row {
  const createdAt = new Date(entry.Created * 1000);
  const createdBy = entry.CreatedBy.replaceAll('\t', ' ');
  const comment = shown.noTrunc ? entry.Comment : ellipsis(entry.Comment, CREATED_BY_CHARS);
  return {
    ID: shown.noTrunc ? entry.Id : shortId(entry.Id),
    CreatedAt: goTime(createdAt).replace(' +0000 UTC', 'Z').replace(' ', 'T'),
    CreatedSince: entry.Created > 0 ? `${humanDuration(Date.now() - createdAt.getTime())} ago` : 'N/A',
    CreatedBy: shown.noTrunc ? createdBy : ellipsis(createdBy, CREATED_BY_CHARS),
    Size: shown.human ? humanSize(entry.Size) : String(entry.Size),
    Comment: comment,
  };
}
