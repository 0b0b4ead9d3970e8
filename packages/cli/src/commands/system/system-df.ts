import { type DiskUsage, humanSize } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { text } from '../../flags/flag-types.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const COLUMNS = [
  ['Type', 'TYPE'],
  ['TotalCount', 'TOTAL'],
  ['Active', 'ACTIVE'],
  ['Size', 'SIZE'],
  ['Reclaimable', 'RECLAIMABLE'],
] as const;

/** `fairlead system df` */
export const systemDfCommand: Command = {
  name: 'system df',
  usage: '[OPTIONS]',
  summary: 'Show disk usage of the engine',
  args: noArguments,
  define(flags) {
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    return async (context) => {
      const usage = await (await context.client()).system.diskUsage();
      const rows = [imagesRow(usage), containersRow(usage), volumesRow(usage), buildCacheRow()];
      await context.out(formatRows(rows, { format: format.value, columns: COLUMNS }));
      return 0;
    };
  },
};

function imagesRow({ Images, LayersSize }: DiskUsage): Row {
  const images = Images ?? [];
  const used = images.filter(({ Containers }) => Containers > 0);
  // What only images in use have stays; layers they share with others are counted with them.
  const kept = used.reduce(
    (sum, { Size, SharedSize }) => sum + (Size < 0 || SharedSize < 0 ? 0 : Size - SharedSize),
    0,
  );
  return row('Images', {
    total: images.length,
    active: used.length,
    bytes: LayersSize,
    reclaimableBytes: Math.max(0, LayersSize - kept),
  });
}

function containersRow({ Containers }: DiskUsage): Row {
  const containers = Containers ?? [];
  const active = containers.filter(({ State }) => ['running', 'paused', 'restarting'].includes(State));
  const size = (of: typeof containers): number => of.reduce((sum, { SizeRw = 0 }) => sum + SizeRw, 0);
  const bytes = size(containers);
  return row('Containers', {
    total: containers.length,
    active: active.length,
    bytes,
    reclaimableBytes: bytes - size(active),
  });
}

function volumesRow({ Volumes }: DiskUsage): Row {
  const volumes = Volumes ?? [];
  const used = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  const size = (of: typeof volumes): number =>
    of.reduce((sum, { UsageData }) => sum + Math.max(0, UsageData?.Size ?? 0), 0);
  const bytes = size(volumes);
  return row('Local Volumes', {
    total: volumes.length,
    active: used.length,
    bytes,
    reclaimableBytes: bytes - size(used),
  });
}

/** The classic builder keeps its cache as images. */
function buildCacheRow(): Row {
  return { Type: 'Build Cache', TotalCount: '0', Active: '0', Size: '0B', Reclaimable: '0B' };
}

interface Usage {
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  readonly reclaimableBytes: number;
}

/** Source: docker/cli formatter/disk_usage.go. */
function row(Type: string, { total, active, bytes, reclaimableBytes }: Usage): Row {
  const share = bytes > 0 ? ` (${Math.trunc((reclaimableBytes * 100) / bytes)}%)` : '';
  return {
    Type,
    TotalCount: String(total),
    Active: String(active),
    Size: humanSize(bytes, 4),
    Reclaimable: `${humanSize(reclaimableBytes, 4)}${share}`,
  };
}
