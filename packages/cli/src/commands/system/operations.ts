import { RequestFailedError } from '@fairlead/client';
import type { Operation } from '@fairlead/protocol';
import type { Command } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { integer, toggle } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { operationRow } from '../../format/operation-row.ts';
import { formatTable } from '../../format/table.ts';

/** Lists are for people: two spaces between columns, as wide as they need to be. */
const OPERATION_TABLE = { minWidth: 0 };

/** `fairlead operations` */
export const operationsCommand: Command = {
  name: 'operations',
  usage: '[OPTIONS] [CONTAINER]',
  summary: 'Show who asked the engine for what, and how it ended',
  args: { min: 0, max: 1 },
  define(flags) {
    const limit = flags.add('last,n', 'Show the n latest operations', integer());
    const json = flags.add('json', 'Print every operation as a line of JSON', toggle());
    return async (context, [container]) => {
      const client = await context.client();
      const operations = await list(() =>
        client.operations.list({
          ...(limit.value === undefined ? {} : { limit: limit.value }),
          ...(container === undefined ? {} : { container }),
        }),
      );
      // The newest last, where the eye is.
      const oldestFirst = operations.toReversed();
      if (json.value) await context.out(oldestFirst.map((operation) => `${plainJson(operation)}\n`).join(''));
      else await context.out(formatTable(oldestFirst.map(operationRow), OPERATION_TABLE));
      return 0;
    };
  },
};

async function list(ask: () => Promise<readonly Operation[]>): Promise<readonly Operation[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof RequestFailedError) || error.message !== 'page not found') throw error;
    throw new ExitError(EXIT_FAILURE, 'this engine keeps no record of operations: only Fairlead does', {
      cause: error,
    });
  }
}
