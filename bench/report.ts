/** Turns measured values into a table, with ratios. */
import { COLD_START, median, MEASUREMENTS } from './measure.ts';

/** One contender's values: key of a measurement → one value per round. */
export interface ContenderResults {
  readonly name: string;
  readonly version: string;
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/** What `bench/results.json` holds. */
export interface BenchResults {
  readonly takenAt: string;
  readonly rounds: number;
  readonly host: { readonly cpus: number; readonly kernel: string };
  readonly contenders: readonly ContenderResults[];
}

/** A Markdown table: medians, and what the others take in proportion to the first contender. */
export function table({ contenders }: BenchResults): string {
  const [first, ...others] = contenders;
  const rows = [...MEASUREMENTS, COLD_START].map(({ key, title, unit, better }) => {
    const own = valueOf(first, key);
    const cells = others.map((other) => {
      const value = valueOf(other, key);
      const times =
        own === undefined || value === undefined ? undefined : better === 'less' ? value / own : own / value;
      return times === undefined || value === 0 ? show(value) : `${show(value)} (${show(times)}×)`;
    });
    return [`${title}, ${unit}`, show(own), ...cells];
  });
  const head = ['', ...contenders.map(({ name }) => name)];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** The whole of `bench/results.md`. */
export function document(results: BenchResults): string {
  const { rounds, host, contenders } = results;
  const first = contenders[0]?.name ?? '';
  return [
    '# Side by side',
    '',
    `Medians of ${rounds} interleaved rounds on ${host.cpus} CPUs, Linux ${host.kernel}, taken by \`make bench\` in one run over the HTTP sockets.`,
    `In brackets: how many times better ${first} is (below 1: worse). The bare runtime is the limit, not a rival.`,
    '',
    table(results),
    '',
    ...contenders.map(({ name, version }) => `- ${name}: ${version}`),
    '',
  ].join('\n');
}

/** `text` with the table between its two comments of that name replaced. @throws Error when they are not there. */
export function withTable(text: string, rows: string, name = 'bench'): string {
  const marked = new RegExp(`(<!-- ${name} -->\\n)[^]*(\\n<!-- /${name} -->)`);
  if (!marked.test(text)) throw new Error(`no <!-- ${name} --> … <!-- /${name} --> in the text`);
  return text.replace(marked, (_all, begin: string, end: string) => `${begin}${rows}${end}`);
}

function valueOf(contender: ContenderResults | undefined, key: string): number | undefined {
  const values = contender?.values[key];
  return values === undefined || values.length === 0 ? undefined : median(values);
}

/** Three figures are as many as the noise allows. */
function show(value: number | undefined): string {
  if (value === undefined) return '–';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
