import { goJson } from './go-template-value.ts';
import { parseTemplate } from './go-template.ts';
import { formatTable } from './table.ts';

/** One line of a list: what templates see, by field name. */
export type Row = Readonly<Record<string, string>>;

export interface RowFormat {
  /** `--format`: empty for the usual table. */
  readonly format: string;
  /** Fields of the usual table, in order, with their headings. */
  readonly columns: readonly (readonly [field: string, heading: string])[];
  /** Headings of further fields, for `table …` templates. */
  readonly headings?: Readonly<Record<string, string>>;
}

/**
 * Formats a list as Docker's CLI does: a table, `table TEMPLATE`, `json`, or a template per line.
 *
 * @throws TemplateError
 */
export function formatRows(rows: readonly Row[], how: RowFormat): string {
  const format = how.format.trim();
  if (format === '' || format === 'table') {
    const cells = rows.map((row) => how.columns.map(([field]) => row[field] ?? ''));
    return formatTable([how.columns.map(([, heading]) => heading), ...cells]);
  }
  if (format === 'json') return rows.map((row) => `${goJson(sorted(row))}\n`).join('');
  const tabular = format.startsWith('table ');
  const template = parseTemplate(tabular ? format.slice('table '.length) : format);
  const lines = rows.map((row) => template.render(row));
  if (!tabular) return lines.map((line) => `${line}\n`).join('');
  const headings = { ...Object.fromEntries(how.columns), ...how.headings };
  return formatTable([template.render(headings), ...lines].map((line) => line.split('\t')));
}

function sorted(row: Row): Row {
  return Object.fromEntries(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
