import { RequestFailedError } from '@fairlead/client';
import type { Operation } from '@fairlead/protocol';
import type { Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { integer, toggle } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { operationRow } from '../../format/operation-row.ts';
import { formatTable } from '../../format/table.ts';
import { fleetOperationsFlags } from '../fleet/fleet-operations.ts';

/** Lists are for people: two spaces between columns, as wide as they need to be. */
const OPERATION_TABLE = { minWidth: 0 };

/** What is shown before what is still to come. */
const LAST_WHEN_FOLLOWING = 10;

/** `fairlead operations` */
export const operationsCommand: Command = {
  name: 'operations',
  usage: '[OPTIONS] [CONTAINER]',
  summary: 'Show who asked the engine for what, and how it ended',
  args: { min: 0, max: 1 },
  define(flags) {
    const last = flags.add('last,n', 'Show the n latest operations', integer());
    const json = flags.add('json', 'Print every operation as a line of JSON', toggle());
    const follow = flags.add('follow,f', 'Go on: show what ends, and which callers hang up before', toggle());
    const listFleet = fleetOperationsFlags(flags);
    return async (context, [container]) => {
      const listed = await listFleet(context, { container, last: last.value, json: json.value });
      if (listed !== undefined) return listed;
      const client = await context.client();
      const about = container === undefined ? {} : { container };
      // Begun before the list is asked for, so that nothing falls in between.
      const feed = follow.value ? await known(() => client.operations.follow(about)) : undefined;
      const limit = last.value ?? (follow.value ? LAST_WHEN_FOLLOWING : undefined);
      const asked = { ...about, ...(limit === undefined ? {} : { limit }) };
      const answered = known(() => client.operations.list(asked));
      const operations = await (feed === undefined ? answered : answered.catch(toCome));
      // The newest last, where the eye is.
      await print(context, operations.toReversed(), json.value);
      const shown = new Set(operations.filter(({ Outcome }) => Outcome !== null).map(({ Id }) => Id));
      for await (const operation of feed ?? [])
        if (!shown.has(operation.Id)) await print(context, [operation], json.value);
      return 0;
    };
  },
};

async function print(context: CliContext, operations: readonly Operation[], json: boolean): Promise<void> {
  if (json) await context.out(operations.map((operation) => `${plainJson(operation)}\n`).join(''));
  else await context.out(formatTable(operations.map(operationRow), OPERATION_TABLE));
}

/** Whoever follows may do so before the container is there. */
function toCome(error: unknown): readonly Operation[] {
  if (error instanceof RequestFailedError && error.kind === 'not-found') return [];
  throw error;
}

/** Tells an engine without a ledger from one that does not know the container. */
async function known<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RequestFailedError) || error.message !== 'page not found') throw error;
    throw new ExitError(EXIT_FAILURE, 'this engine keeps no record of operations: only Fairlead does', {
      cause: error,
    });
  }
}
