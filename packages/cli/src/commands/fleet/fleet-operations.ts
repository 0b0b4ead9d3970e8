import type { CliContext } from '../../context.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { formatTable } from '../../format/table.ts';
import { hubFlags } from './hub-connection.ts';
import { fleetOperationRow } from './operation-words.ts';

/** What `operations --fleet` lists. */
export interface FleetOperationsAsked {
  readonly container: string | undefined;
  readonly last: number | undefined;
  readonly json: boolean;
}

/** Declares `--fleet` and what belongs to it; the reader gives undefined when the fleet was not asked for. */
export function fleetOperationsFlags(
  flags: FlagSet,
): (context: CliContext, asked: FleetOperationsAsked) => Promise<number | undefined> {
  const fleet = flags.add('fleet', 'Of the fleet, from its hub, instead of one engine', toggle());
  const host = flags.add('on', 'Only of this host of the fleet', text());
  const open = hubFlags(flags);
  return async (context, { container, last, json }) => {
    if (!fleet.value) return undefined;
    await using hub = await open(context);
    const query = { limit: last, container, host: host.value === '' ? undefined : host.value };
    const operations = (await hub.operations(query)).toReversed();
    if (json) await context.out(operations.map((operation) => `${plainJson(operation)}\n`).join(''));
    else await context.out(formatTable(operations.map(fleetOperationRow), { minWidth: 0 }));
    return 0;
  };
}
