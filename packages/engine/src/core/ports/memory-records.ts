import type { RecordLog, RecordStore, RecordTable } from './record-store.ts';

/** Records that are gone with the process, for tests. Documents are copied in and out, as a file would. */
export function memoryTable<T>(): RecordTable<T> {
  const records = new Map<string, T>();
  const copy = (record: T | undefined): T | undefined => (record === undefined ? undefined : structuredClone(record));
  return {
    get: (key) => copy(records.get(key)),
    has: (key) => records.has(key),
    all: () => [...records.values()].map((record) => structuredClone(record)),
    unreadable: () => [],
    put: (key, record) => void records.set(key, structuredClone(record)),
    delete: (key) => void records.delete(key),
  };
}

/** As `memoryTable`. */
export function memoryLog<T>(): RecordLog<T> {
  const rows = new Map<number, { readonly at: Date; record: T }>();
  let sequence = 0;
  return {
    append(record, at) {
      sequence += 1;
      rows.set(sequence, { at, record: structuredClone(record) });
      return sequence;
    },
    replace(key, record) {
      const row = rows.get(key);
      if (row !== undefined) row.record = structuredClone(record);
    },
    between: (from, to, limit) =>
      [...rows]
        .filter(([, { at }]) => (from === undefined || at >= from) && (to === undefined || at <= to))
        .slice(-limit)
        .map(([key, { record }]) => ({ sequence: key, record: structuredClone(record) })),
    get: (key) => structuredClone(rows.get(key)?.record),
    trim(count) {
      for (const key of [...rows.keys()].slice(0, -count)) rows.delete(key);
    },
  };
}

/** A store of the two above. Its transactions do not roll back. */
export function memoryStore(): RecordStore {
  return {
    table: () => memoryTable(),
    log: () => memoryLog(),
    transaction: (work) => work(),
    afterCommit: (work) => work(),
    [Symbol.dispose]() {},
  };
}
