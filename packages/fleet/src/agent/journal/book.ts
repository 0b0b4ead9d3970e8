import type { AgentEvent } from '@fairlead/protocol/fleet';
import { endOf, type JournalEntry, type JournalRecord, type OperationRecord } from './record.ts';

interface Page {
  readonly records: OperationRecord[];
  entry: JournalEntry;
}

/** What a journal's records add up to: the operations that are not closed yet. In memory; the file is `Journal`'s. */
export class JournalBook {
  readonly #pages = new Map<string, Page>();
  #id = '';
  #complete = true;

  /** The identity of the journal, made with its first file. */
  get id(): string {
    return this.#id;
  }

  /** False when an earlier journal of this host was lost: what it held cannot be known. */
  get complete(): boolean {
    return this.#complete;
  }

  get size(): number {
    return this.#pages.size;
  }

  entries(): readonly JournalEntry[] {
    return [...this.#pages.values()].map(({ entry }) => entry);
  }

  entry(operationId: string): JournalEntry | undefined {
    return this.#pages.get(operationId)?.entry;
  }

  /** Takes one record in. Those of an operation that is unknown or closed say nothing. */
  apply(record: JournalRecord): void {
    if (record.kind === 'OPENED') {
      this.#id = record.id;
      this.#complete = record.complete;
      return;
    }
    const page = this.#pages.get(record.op) ?? this.#newPage(record);
    if (page === undefined) return;
    if (record.kind !== 'RECEIVED') page.entry = nextEntry(page.entry, record);
    if (isClosed(page.entry, record)) this.#pages.delete(record.op);
    else keep(page.records, record);
  }

  /** The records that add up to this book, and no others. */
  records(): readonly JournalRecord[] {
    const opened = { kind: 'OPENED', id: this.#id, complete: this.#complete } as const;
    return [opened, ...[...this.#pages.values()].flatMap(({ records }) => records)];
  }

  #newPage(record: OperationRecord): Page | undefined {
    if (record.kind !== 'RECEIVED') return undefined;
    const { op, message, at } = record;
    const entry: JournalEntry = {
      operationId: op,
      message,
      receivedAt: at,
      isClaimed: false,
      evidence: undefined,
      steps: [],
      events: [],
      ackedSeq: 0,
    };
    const page = { records: [], entry };
    this.#pages.set(op, page);
    return page;
  }
}

function nextEntry(entry: JournalEntry, record: Exclude<OperationRecord, { kind: 'RECEIVED' }>): JournalEntry {
  switch (record.kind) {
    case 'CLAIMED':
      return { ...entry, isClaimed: true };
    case 'DROPPED':
      return entry;
    case 'STARTED':
      return { ...withEvent(entry, record.event), evidence: record.evidence };
    case 'STEP':
      return { ...entry, steps: [...entry.steps, record.step] };
    case 'PHASE':
    case 'DONE':
      return withEvent(entry, record.event);
    case 'ACKED':
      return { ...entry, ackedSeq: Math.max(entry.ackedSeq, record.seq) };
    default:
      return record satisfies never;
  }
}

function withEvent(entry: JournalEntry, event: AgentEvent): JournalEntry {
  return { ...entry, events: [...entry.events, event] };
}

function isClosed(entry: JournalEntry, record: OperationRecord): boolean {
  const end = endOf(entry);
  return record.kind === 'DROPPED' || (end !== undefined && entry.ackedSeq >= end.seq);
}

/** Of the acknowledgements only the last one counts. */
function keep(records: OperationRecord[], record: OperationRecord): void {
  const last = records.at(-1);
  if (record.kind !== 'ACKED' || last?.kind !== 'ACKED') records.push(record);
  else if (record.seq > last.seq) records[records.length - 1] = record;
}
