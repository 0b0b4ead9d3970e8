import type { FleetHost } from '@fairlead/protocol/fleet';
import { type Command, noArguments } from '../../command.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { formatTable } from '../../format/table.ts';
import { hubFlags } from './hub-connection.ts';

/** `fairlead hosts` */
export const hostsCommand: Command = {
  name: 'hosts',
  usage: '[OPTIONS]',
  summary: 'List the hosts of the fleet',
  args: noArguments,
  define(flags) {
    const open = hubFlags(flags);
    const on = flags.add('on', 'Only hosts that this selector names: role=web,zone!=a', text());
    const json = flags.add('json', 'Print every host as a line of JSON', toggle());
    return async (context) => {
      await using fleet = await open(context);
      const hosts = await fleet.hosts(on.value === '' ? undefined : on.value);
      if (json.value) await context.out(hosts.map((host) => `${plainJson(host)}\n`).join(''));
      else await context.out(formatTable([HEADER, ...hosts.map(hostRow)]));
      return 0;
    };
  },
};

const HEADER = ['NAME', 'STATE', 'ENGINE', 'CONTAINERS', 'OPERATIONS', 'LABELS', 'ID'];

function hostRow(host: FleetHost): readonly string[] {
  const { engine, openOperations, queuedOperations } = host;
  const engineText =
    engine === null ? '' : `${engine.name} ${engine.version}${engine.state === 'ok' ? '' : ` (${engine.state})`}`;
  const queued = queuedOperations === 0 ? '' : ` (${queuedOperations} queued)`;
  const labels = Object.entries(host.labels).map(([key, value]) => (value === '' ? key : `${key}=${value}`));
  return [
    host.name,
    host.state,
    engineText,
    host.containers === null ? '' : String(host.containers),
    `${openOperations}${queued}`,
    labels.join(','),
    host.id,
  ];
}
