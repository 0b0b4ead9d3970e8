/** The table of `make bench-client`. */

/** What is measured over a socket, and which engine is behind it. */
export const MEASURED: readonly { readonly key: string; readonly engine: 'scripted' | 'real' }[] = [
  { key: 'import', engine: 'scripted' },
  { key: 'demux', engine: 'scripted' },
  { key: 'small-frames', engine: 'scripted' },
  { key: 'stalled', engine: 'scripted' },
  { key: 'exec', engine: 'real' },
];

const ROWS = [
  { key: 'demux', title: '256 MiB of a log, taken apart, MB/s', better: 'more' },
  { key: 'small-frames', title: '200,000 frames of two bytes, thousand a second', better: 'more' },
  { key: 'exec', title: 'exec `true`, with its exit code, ms', better: 'less' },
  { key: 'stalled', title: 'memory for a log that nobody reads on, after 2 s, MB', better: 'less' },
  { key: 'import', title: 'import, ms', better: 'less' },
  { key: 'size', title: 'bundled and minified, KB', better: 'less' },
] as const;

/** `KEY CLIENT` → median. */
export type ClientValues = ReadonlyMap<string, number>;

/** A Markdown table with one column per client; in brackets how many times better the first is. */
export function clientTable(clients: readonly string[], values: ClientValues): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = ROWS.map(({ key, title, better }) => {
    const own = values.get(`${key} ${clients[0]}`);
    const cells = clients.map((name, at) => {
      const value = values.get(`${key} ${name}`);
      if (value === undefined) return '–';
      if (at === 0 || own === undefined) return show(value);
      return `${show(value)} (${show(better === 'less' ? value / own : own / value)}×)`;
    });
    return [title, ...cells];
  });
  const head = ['', ...clients];
  return [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function show(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
