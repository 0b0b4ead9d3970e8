export interface TableLayout {
  /** Narrowest column, the gap included. */
  readonly minWidth: number;
}

/** Docker's tables. Source: docker/cli formatter.go, tabwriter.NewWriter(out, 10, 1, 3, ' ', 0). */
export const DOCKER_TABLE: TableLayout = { minWidth: 10 };
/** `docker top`. Source: docker/cli command/container/top.go. */
export const TOP_TABLE: TableLayout = { minWidth: 20 };

const GAP = 3;

/** Lays rows out in columns as Go's tabwriter does: every column as wide as its widest cell, the last one as it is. */
export function formatTable(rows: readonly (readonly string[])[], layout: TableLayout = DOCKER_TABLE): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? layout.minWidth, Array.from(cell).length + GAP);
    }
  }
  return rows.map((row) => `${line(row, widths)}\n`).join('');
}

function line(row: readonly string[], widths: readonly number[]): string {
  const last = row.length - 1;
  return row.map((cell, column) => (column === last ? cell : padTo(widths[column] ?? 0, cell))).join('');
}

function padTo(width: number, cell: string): string {
  return cell + ' '.repeat(Math.max(0, width - Array.from(cell).length));
}
