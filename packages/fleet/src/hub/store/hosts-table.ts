import type { HostId } from '@fairlead/protocol/fleet';
import type { HubDatabase } from './hub-database.ts';

/** A host that was enrolled. */
export interface HostRecord {
  readonly id: HostId;
  readonly name: string;
  readonly publicKey: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the token that it was enrolled with. */
  readonly tokenHash: string;
  readonly enrolledAt: number;
}

/** Enrolled hosts, all of them in memory: a host is 500 bytes. */
export class HostsTable {
  readonly #database: HubDatabase;
  readonly #byId = new Map<string, HostRecord>();
  readonly #byName = new Map<string, HostRecord>();
  readonly #byPublicKey = new Map<string, HostRecord>();

  constructor(database: HubDatabase) {
    this.#database = database;
    for (const row of database.prepare('SELECT document FROM hosts').all()) {
      const document: unknown = JSON.parse(String(row['document']));
      if (isHostRecord(document)) this.#index(document);
    }
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): readonly HostRecord[] {
    return [...this.#byId.values()];
  }

  get(id: string): HostRecord | undefined {
    return this.#byId.get(id);
  }

  byName(name: string): HostRecord | undefined {
    return this.#byName.get(name);
  }

  byPublicKey(publicKey: string): HostRecord | undefined {
    return this.#byPublicKey.get(publicKey);
  }

  /** By its id or its name. */
  find(idOrName: string): HostRecord | undefined {
    return this.#byId.get(idOrName) ?? this.#byName.get(idOrName);
  }

  /** Resolves when it is on disk. The caller has seen to it that name and key are nobody else's. */
  async put(record: HostRecord): Promise<void> {
    this.#unindex(record.id);
    this.#index(record);
    await this.#database.write(() => {
      this.#database
        .prepare(
          `INSERT INTO hosts (id, name, public_key, document) VALUES (?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET name = excluded.name, document = excluded.document`,
        )
        .run(record.id, record.name, record.publicKey, JSON.stringify(record));
    });
  }

  async remove(id: HostId): Promise<void> {
    this.#unindex(id);
    await this.#database.write(() => void this.#database.prepare('DELETE FROM hosts WHERE id = ?').run(id));
  }

  #index(record: HostRecord): void {
    this.#byId.set(record.id, record);
    this.#byName.set(record.name, record);
    this.#byPublicKey.set(record.publicKey, record);
  }

  #unindex(id: string): void {
    const old = this.#byId.get(id);
    if (old === undefined) return;
    this.#byId.delete(id);
    this.#byName.delete(old.name);
    this.#byPublicKey.delete(old.publicKey);
  }
}

function isHostRecord(document: unknown): document is HostRecord {
  return typeof document === 'object' && document !== null && 'publicKey' in document && 'labels' in document;
}
