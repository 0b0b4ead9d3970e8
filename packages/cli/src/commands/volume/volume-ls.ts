import type { Volume } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { parseFilterFlags } from '../../flags/filters.ts';
import { list, text, toggle } from '../../flags/flag-types.ts';
import { labelsText } from '../../format/human.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const COLUMNS = [
  ['Driver', 'DRIVER'],
  ['Name', 'VOLUME NAME'],
] as const;
const HEADINGS = { Labels: 'LABELS', Mountpoint: 'MOUNTPOINT', Scope: 'SCOPE', Links: 'LINKS', Size: 'SIZE' };

/** `fairlead volume ls` */
export const volumeLsCommand: Command = {
  name: 'volume ls',
  usage: '[OPTIONS]',
  summary: 'List volumes',
  args: noArguments,
  define(flags) {
    const filter = flags.add('filter,f', 'Provide filter values (e.g. "dangling=true")', list('filter'));
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    const quiet = flags.add('quiet,q', 'Only display volume names', toggle());
    return async (context) => {
      const { Volumes } = await (await context.client()).volumes.list({ filters: parseFilterFlags(filter.value) });
      const rows = (Volumes ?? []).map(rowOf).toSorted((a, b) => order(a['Name'] ?? '', b['Name'] ?? ''));
      if (quiet.value && format.value === '') await context.out(rows.map((row) => `${row['Name']}\n`).join(''));
      else await context.out(formatRows(rows, { format: format.value, columns: COLUMNS, headings: HEADINGS }));
      return 0;
    };
  },
};

function rowOf({ Name, Driver, Labels, Mountpoint, Scope }: Volume): Row {
  const unknown = 'N/A';
  return {
    Name,
    Driver,
    Labels: labelsText(Labels),
    Mountpoint,
    Scope,
    Links: unknown,
    Size: unknown,
    Availability: unknown,
    Group: unknown,
    Status: unknown,
  };
}

/** 2 before 10. */
function order(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
