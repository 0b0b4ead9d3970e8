import { type Command, noArguments } from '../../command.ts';
import { EXIT_FAILURE } from '../../exit-codes.ts';
import { integer, toggle } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { formatTable } from '../../format/table.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead fleet audit` */
export const fleetAuditCommand: Command = {
  name: 'fleet audit',
  usage: '[OPTIONS]',
  summary: 'Show who asked the hub for what',
  args: noArguments,
  define(flags) {
    const open = hubFlags(flags);
    const after = flags.add('after', 'Only lines behind this number', integer());
    const limit = flags.add('limit,n', 'At most this many lines (default 100)', integer());
    const check = flags.add('check', 'See whether every line still fits the one before it, and nothing else', toggle());
    const json = flags.add('json', 'Print every line as JSON', toggle());
    return async (context) => {
      await using fleet = await open(context);
      if (check.value) {
        const { whole, firstBroken } = await fleet.checkAudit();
        await context.out(whole ? 'whole\n' : `broken at line ${firstBroken}\n`);
        return whole ? 0 : EXIT_FAILURE;
      }
      const lines = await fleet.audit(after.value, limit.value);
      if (json.value) await context.out(lines.map((line) => `${plainJson(line)}\n`).join(''));
      else {
        const rows = lines.map(({ seq, at, actor, from, action, target, detail }) => [
          String(seq),
          at,
          `${actor} (${from})`,
          action,
          target,
          detail,
        ]);
        await context.out(formatTable(rows, { minWidth: 0 }));
      }
      return 0;
    };
  },
};
