import { type ContainerSummary, humanDuration, humanSize, type PortSummary, shortId } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { integer, list, text, toggle } from '../../flags/flag-types.ts';
import { parseFilterFlags } from '../../flags/filters.ts';
import { ellipsis, goTime } from '../../format/human.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const COMMAND_CHARS = 20;

const COLUMNS = [
  ['ID', 'CONTAINER ID'],
  ['Image', 'IMAGE'],
  ['Command', 'COMMAND'],
  ['RunningFor', 'CREATED'],
  ['Status', 'STATUS'],
  ['Ports', 'PORTS'],
  ['Names', 'NAMES'],
] as const;

const HEADINGS = {
  CreatedAt: 'CREATED AT',
  Labels: 'LABELS',
  LocalVolumes: 'LOCAL VOLUMES',
  Mounts: 'MOUNTS',
  Networks: 'NETWORKS',
  Size: 'SIZE',
  State: 'STATE',
};

/** `fairlead ps` */
export const psCommand: Command = {
  name: 'ps',
  usage: '[OPTIONS]',
  summary: 'List containers',
  args: noArguments,
  define(flags) {
    const all = flags.add('all,a', 'Show all containers (default shows just running)', toggle());
    const filter = flags.add('filter,f', 'Filter output based on conditions provided', list('filter'));
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    const last = flags.add('last,n', 'Show n last created containers (includes all states) (default -1)', integer());
    const latest = flags.add('latest,l', 'Show the latest created container (includes all states)', toggle());
    const noTrunc = flags.add('no-trunc', "Don't truncate output", toggle());
    const quiet = flags.add('quiet,q', 'Only display container IDs', toggle());
    const size = flags.add('size,s', 'Display total file sizes', toggle());
    return async (context) => {
      const client = await context.client();
      const limit = latest.value ? 1 : (last.value ?? -1);
      const summaries = await client.containers.list({
        ...(all.value || limit > 0 ? { all: true } : {}),
        ...(limit > 0 ? { limit } : {}),
        ...(size.value ? { size: true } : {}),
        ...(filter.value.length > 0 ? { filters: parseFilterFlags(filter.value) } : {}),
      });
      const rows = summaries.map((summary) => rowOf(summary, { noTrunc: noTrunc.value, now: Date.now() }));
      if (quiet.value && format.value === '') await context.out(rows.map((row) => `${row['ID']}\n`).join(''));
      else {
        const columns = size.value ? [...COLUMNS, ['Size', 'SIZE'] as const] : COLUMNS;
        await context.out(formatRows(rows, { format: format.value, columns, headings: HEADINGS }));
      }
      return 0;
    };
  },
};

function rowOf(summary: ContainerSummary, shown: { readonly noTrunc: boolean; readonly now: number }): Row {
  const command = JSON.stringify(summary.Command);
  const createdMs = summary.Created * 1000;
  const image = summary.Image === '' ? '<no image>' : summary.Image;
  return {
    ID: shown.noTrunc ? summary.Id : shortId(summary.Id),
    Image: shown.noTrunc || !image.startsWith('sha256:') ? image : shortId(image),
    Command: shown.noTrunc ? command : ellipsis(command, COMMAND_CHARS),
    CreatedAt: goTime(new Date(createdMs)),
    RunningFor: `${humanDuration(shown.now - createdMs)} ago`,
    State: summary.State,
    Status: summary.Status,
    Ports: portsText(summary.Ports),
    // A name with a second slash is a link's. Source: docker/cli formatter/container.go, Names.
    Names: summary.Names.map((name) => name.replace(/^\//, ''))
      .filter((name) => !name.includes('/') || shown.noTrunc)
      .join(','),
    Labels: Object.entries(summary.Labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    LocalVolumes: String(summary.Mounts.filter(({ Driver }) => Driver === 'local').length),
    Mounts: summary.Mounts.map(({ Name, Source }) => mountText(Name ?? Source, shown.noTrunc)).join(','),
    Networks: Object.keys(summary.NetworkSettings?.Networks ?? {}).join(','),
    Size: sizeText(summary),
  };
}

function mountText(source: string, noTrunc: boolean): string {
  return noTrunc ? source : ellipsis(source, 15);
}

function sizeText({ SizeRw = 0, SizeRootFs = 0 }: ContainerSummary): string {
  return SizeRootFs > 0 ? `${humanSize(SizeRw)} (virtual ${humanSize(SizeRootFs)})` : humanSize(SizeRw);
}

function portsText(ports: readonly PortSummary[]): string {
  const texts = ports.map(({ IP, PrivatePort, PublicPort, Type }) => {
    const inside = `${PrivatePort}/${Type}`;
    if (PublicPort === undefined) return inside;
    return `${IP?.includes(':') === true ? `[${IP}]` : (IP ?? '')}:${PublicPort}->${inside}`;
  });
  return texts.toSorted().join(', ');
}
