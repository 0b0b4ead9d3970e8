import { type Network, shortId } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { parseFilterFlags } from '../../flags/filters.ts';
import { list, text, toggle } from '../../flags/flag-types.ts';
import { labelsText } from '../../format/human.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const COLUMNS = [
  ['ID', 'NETWORK ID'],
  ['Name', 'NAME'],
  ['Driver', 'DRIVER'],
  ['Scope', 'SCOPE'],
] as const;
const HEADINGS = { IPv6: 'IPV6', Internal: 'INTERNAL', Labels: 'LABELS', CreatedAt: 'CREATED AT' };

/** `fairlead network ls` */
export const networkLsCommand: Command = {
  name: 'network ls',
  usage: '[OPTIONS]',
  summary: 'List networks',
  args: noArguments,
  define(flags) {
    const filter = flags.add('filter,f', 'Provide filter values (e.g. "driver=bridge")', list('filter'));
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    const noTrunc = flags.add('no-trunc', 'Do not truncate the output', toggle());
    const quiet = flags.add('quiet,q', 'Only display network IDs', toggle());
    return async (context) => {
      const networks = await (await context.client()).networks.list({ filters: parseFilterFlags(filter.value) });
      const rows = networks
        .toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }))
        .map((network) => rowOf(network, noTrunc.value));
      if (quiet.value && format.value === '') await context.out(rows.map((row) => `${row['ID']}\n`).join(''));
      else await context.out(formatRows(rows, { format: format.value, columns: COLUMNS, headings: HEADINGS }));
      return 0;
    };
  },
};

function rowOf(network: Network, noTrunc: boolean): Row {
  return {
    ID: noTrunc ? network.Id : shortId(network.Id),
    Name: network.Name,
    Driver: network.Driver,
    Scope: network.Scope,
    IPv6: String(network.EnableIPv6),
    Internal: String(network.Internal),
    Labels: labelsText(network.Labels),
    CreatedAt: network.Created.replace('T', ' ').replace(/Z$/, ' +0000 UTC'),
  };
}
