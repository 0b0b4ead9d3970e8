import { FLEET_ROLES, type FleetRole } from '@fairlead/protocol/fleet';
import type { HubDatabase } from './hub-database.ts';

/** A user; the token itself is kept nowhere. */
export interface UserRecord {
  readonly name: string;
  readonly role: FleetRole;
  /** SHA-256 of the token, hex. */
  readonly tokenHash: string;
  readonly createdAt: number;
}

/** Users, all of them in memory. */
export class UsersTable {
  readonly #database: HubDatabase;
  readonly #byName = new Map<string, UserRecord>();
  readonly #byTokenHash = new Map<string, UserRecord>();

  constructor(database: HubDatabase) {
    this.#database = database;
    for (const row of database.prepare('SELECT * FROM users').all()) {
      const role = FLEET_ROLES.find((known) => known === row['role']);
      // A role of a newer version: nobody may be taken for more than they are.
      if (role === undefined) continue;
      this.#index({
        name: String(row['name']),
        role,
        tokenHash: String(row['token_hash']),
        createdAt: Number(row['created_at']),
      });
    }
  }

  all(): readonly UserRecord[] {
    return [...this.#byName.values()];
  }

  byName(name: string): UserRecord | undefined {
    return this.#byName.get(name);
  }

  byTokenHash(hash: string): UserRecord | undefined {
    return this.#byTokenHash.get(hash);
  }

  /** Resolves when it is on disk. The caller has seen to it that the name is free. */
  async add(user: UserRecord): Promise<void> {
    this.#index(user);
    await this.#database.write(() => {
      this.#database
        .prepare('INSERT INTO users (name, role, token_hash, created_at) VALUES (?, ?, ?, ?)')
        .run(user.name, user.role, user.tokenHash, user.createdAt);
    });
  }

  async remove(user: UserRecord): Promise<void> {
    this.#byName.delete(user.name);
    this.#byTokenHash.delete(user.tokenHash);
    await this.#database.write(() => void this.#database.prepare('DELETE FROM users WHERE name = ?').run(user.name));
  }

  #index(user: UserRecord): void {
    this.#byName.set(user.name, user);
    this.#byTokenHash.set(user.tokenHash, user);
  }
}
