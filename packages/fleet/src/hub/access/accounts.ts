import type { FleetActor, FleetUser, UserRequest } from '@fairlead/protocol/fleet';
import { HubError } from '../operation/hub-error.ts';
import type { UserRecord, UsersTable } from '../store/users-table.ts';
import { isSameHash, newSecret, secretHash } from './secret.ts';

/** Whoever reaches the hub's unix socket: root on this machine. */
export const LOCAL_ACTOR: FleetActor = { name: 'local', role: 'admin' };

/** Users and their tokens. */
export class Accounts {
  readonly #users: UsersTable;
  readonly #removed: ((name: string) => void)[] = [];

  constructor(users: UsersTable) {
    this.#users = users;
  }

  all(): readonly FleetUser[] {
    return this.#users.all().map(shown);
  }

  /** Makes a user; the token is in the answer and nowhere else. @throws HubError 'CONFLICT' when the name is taken. */
  async create({ name, role }: UserRequest): Promise<FleetUser & { readonly token: string }> {
    if (this.#users.byName(name) !== undefined) throw new HubError('CONFLICT', `there is a user ${name} already`);
    const token = newSecret('flu');
    const user = { name, role, tokenHash: secretHash(token), createdAt: Date.now() };
    await this.#users.add(user);
    return { ...shown(user), token };
  }

  /** Their token is worthless at once, and what they look at ends. @throws HubError 'NOT_FOUND' */
  async remove(name: string): Promise<void> {
    const user = this.#users.byName(name);
    if (user === undefined) throw new HubError('NOT_FOUND', `no such user: ${name}`);
    await this.#users.remove(user);
    for (const listener of this.#removed) listener(name);
  }

  /** Calls `listener` with the name of everybody who is removed from now on. */
  onRemoved(listener: (name: string) => void): void {
    this.#removed.push(listener);
  }

  /** False once they are removed, or have another role. */
  knows({ name, role }: FleetActor): boolean {
    return name === LOCAL_ACTOR.name || this.#users.byName(name)?.role === role;
  }

  /** Whose token this is; undefined: nobody's. */
  actorOf(token: string): FleetActor | undefined {
    const hash = secretHash(token);
    const user = this.#users.byTokenHash(hash);
    return user !== undefined && isSameHash(user.tokenHash, hash) ? { name: user.name, role: user.role } : undefined;
  }
}

function shown({ name, role, createdAt }: UserRecord): FleetUser {
  return { name, role, createdAt: new Date(createdAt).toISOString() };
}
