import type { HostMoment } from '../../lib/host-clock.ts';
import type { HubDatabase } from './hub-database.ts';

/** A token that enrols one host; the token itself is kept nowhere. */
export interface TokenRecord {
  readonly id: string;
  /** SHA-256, hex. */
  readonly tokenHash: string;
  readonly name: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly moment: HostMoment;
  readonly expiresMs: number;
}

/** Enrolment tokens that were not used, all of them in memory. */
export class TokensTable {
  readonly #database: HubDatabase;
  readonly #byId = new Map<string, TokenRecord>();

  constructor(database: HubDatabase) {
    this.#database = database;
    for (const row of database.prepare('SELECT document FROM enrolment_tokens').all()) {
      const document: unknown = JSON.parse(String(row['document']));
      if (isTokenRecord(document)) this.#byId.set(document.id, document);
    }
  }

  all(): readonly TokenRecord[] {
    return [...this.#byId.values()];
  }

  get(id: string): TokenRecord | undefined {
    return this.#byId.get(id);
  }

  byTokenHash(hash: string): TokenRecord | undefined {
    return this.all().find(({ tokenHash }) => tokenHash === hash);
  }

  async add(token: TokenRecord): Promise<void> {
    this.#byId.set(token.id, token);
    await this.#database.write(() => {
      this.#database
        .prepare('INSERT INTO enrolment_tokens (id, token_hash, document) VALUES (?, ?, ?)')
        .run(token.id, token.tokenHash, JSON.stringify(token));
    });
  }

  /** True when it was there, and is not any more from this moment on. */
  take(id: string): { readonly taken: boolean; readonly stored: Promise<void> } {
    const taken = this.#byId.delete(id);
    const stored = this.#database.write(
      () => void this.#database.prepare('DELETE FROM enrolment_tokens WHERE id = ?').run(id),
    );
    return { taken, stored };
  }
}

function isTokenRecord(document: unknown): document is TokenRecord {
  return typeof document === 'object' && document !== null && 'tokenHash' in document && 'expiresMs' in document;
}
