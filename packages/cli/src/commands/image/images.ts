import { humanDuration, humanSize, type ImageSummary, shortId } from '@fairlead/protocol';
import type { Command } from '../../command.ts';
import { list, text, toggle } from '../../flags/flag-types.ts';
import { parseFilterFlags } from '../../flags/filters.ts';
import { goTime } from '../../format/human.ts';
import { formatRows, type Row } from '../../format/rows.ts';

const NONE = '<none>';

/** `fairlead images` */
export const imagesCommand: Command = {
  name: 'images',
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  args: { min: 0, max: 1 },
  define(flags) {
    const all = flags.add('all,a', 'Show all images (default hides intermediate images)', toggle());
    const digests = flags.add('digests', 'Show digests', toggle());
    const filter = flags.add('filter,f', 'Filter output based on conditions provided', list('filter'));
    const format = flags.add('format', "Format output: 'table', 'table TEMPLATE', 'json' or 'TEMPLATE'", text());
    const noTrunc = flags.add('no-trunc', "Don't truncate output", toggle());
    const quiet = flags.add('quiet,q', 'Only show image IDs', toggle());
    return async (context, [reference]) => {
      const client = await context.client();
      const typed = [...filter.value, ...(reference === undefined ? [] : [`reference=${reference}`])];
      const images = await client.images.list({
        ...(all.value ? { all: true } : {}),
        ...(typed.length > 0 ? { filters: parseFilterFlags(typed) } : {}),
      });
      const rows = images.flatMap((image) => rowsOf(image, noTrunc.value));
      if (quiet.value && format.value === '') {
        // One line per tag, as Docker has it.
        await context.out(rows.map((row) => `${row['ID']}\n`).join(''));
        return 0;
      }
      const columns = [
        ['Repository', 'REPOSITORY'] as const,
        ['Tag', 'TAG'] as const,
        ...(digests.value ? [['Digest', 'DIGEST'] as const] : []),
        ['ID', 'IMAGE ID'] as const,
        ['CreatedSince', 'CREATED'] as const,
        ['Size', 'SIZE'] as const,
      ];
      await context.out(formatRows(rows, { format: format.value, columns, headings: { CreatedAt: 'CREATED AT' } }));
      return 0;
    };
  },
};

function rowsOf(image: ImageSummary, noTrunc: boolean): readonly Row[] {
  const createdAt = new Date(image.Created * 1000);
  const common = {
    ID: noTrunc ? image.Id : shortId(image.Id),
    CreatedAt: goTime(createdAt),
    CreatedSince: image.Created > 0 ? `${humanDuration(Date.now() - createdAt.getTime())} ago` : 'N/A',
    Size: humanSize(image.Size),
    Containers: 'N/A',
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
    VirtualSize: humanSize(image.VirtualSize ?? image.Size, 4),
  };
  // Docker before API 1.43 answers `<none>:<none>`, or null in the place of a list.
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== `${NONE}:${NONE}`);
  const digest = image.RepoDigests?.find((known) => !known.startsWith(NONE))?.split('@')[1] ?? NONE;
  if (tags.length === 0) return [{ ...common, Repository: NONE, Tag: NONE, Digest: digest }];
  return tags.map((name) => {
    const at = name.lastIndexOf(':');
    return { ...common, Repository: name.slice(0, at), Tag: name.slice(at + 1), Digest: digest };
  });
}
