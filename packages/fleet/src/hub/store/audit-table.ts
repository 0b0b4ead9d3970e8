import { hash } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import { type AuditEntry, FLEET_ROLES } from '@fairlead/protocol/fleet';
import type { HubDatabase } from './hub-database.ts';

/** What is known of a line before it is chained to the one before it. */
export type AuditLine = Omit<AuditEntry, 'seq' | 'at' | 'hash'>;

/** Longer targets and details are cut. */
const TEXT_CHARACTERS_MAX = 1_024;

/** The audit: append-only (triggers refuse everything else), each line with the hash of itself and of the line before it. */
export class AuditTable {
  readonly #database: HubDatabase;
  readonly #insert: StatementSync;
  #seq: number;
  #hash: string;

  constructor(database: HubDatabase) {
    this.#database = database;
    this.#insert = database.prepare(
      'INSERT INTO audit (seq, at, actor, role, source, action, target, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    const last = database.prepare('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1').get();
    this.#seq = Number(last?.['seq'] ?? 0);
    this.#hash = String(last?.['hash'] ?? '');
  }

  /** Adds a line; it is in the same transaction as what is written with it in one turn. */
  append(line: AuditLine): void {
    this.#seq += 1;
    const cut = { ...line, target: cutText(line.target), detail: cutText(line.detail) };
    const seq = this.#seq;
    const at = Date.now();
    this.#hash = lineHash(this.#hash, { ...cut, seq, atMs: at });
    const chained = this.#hash;
    this.#database.add(() => {
      this.#insert.run(seq, at, cut.actor, cut.role, cut.from, cut.action, cut.target, cut.detail, chained);
    });
  }

  /** Resolves when every line so far is on disk. */
  async settled(): Promise<void> {
    await this.#database.settled();
  }

  /** Lines after `after`, the oldest first. */
  list(after: number, limit: number): readonly AuditEntry[] {
    this.#database.flush();
    return this.#database
      .prepare('SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(after, limit)
      .map(readEntry);
  }

  /** The first line whose hash does not fit; undefined when the whole chain holds. */
  firstBroken(): number | undefined {
    this.#database.flush();
    let before = '';
    for (const row of this.#database.prepare('SELECT * FROM audit ORDER BY seq').iterate()) {
      const { at, hash: chained, ...line } = readEntry(row);
      if (lineHash(before, { ...line, atMs: Date.parse(at) }) !== chained) return line.seq;
      before = chained;
    }
    return undefined;
  }
}

function readEntry(row: Record<string, unknown>): AuditEntry {
  return {
    seq: Number(row['seq']),
    at: new Date(Number(row['at'])).toISOString(),
    actor: String(row['actor']),
    role: FLEET_ROLES.find((role) => role === row['role']) ?? 'none',
    from: String(row['source']),
    action: String(row['action']),
    target: String(row['target']),
    detail: String(row['detail']),
    hash: String(row['hash']),
  };
}

function lineHash(before: string, line: AuditLine & { readonly seq: number; readonly atMs: number }): string {
  const { seq, atMs, actor, role, from, action, target, detail } = line;
  return hash('sha256', JSON.stringify([before, seq, atMs, actor, role, from, action, target, detail]));
}

function cutText(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…`;
}
