import { EngineError } from '@fairlead/protocol';

/** Who a process is, in numbers. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the primary one comes first, as Docker does it. */
  readonly additionalGids: readonly number[];
  /** Home directory from the passwd file, `/` when it has none. */
  readonly home: string;
}

export interface UserFiles {
  /** Text of the container's /etc/passwd; empty when there is none. The caller limits its size. */
  readonly passwd: string;
  /** Text of the container's /etc/group; empty when there is none. The caller limits its size. */
  readonly group: string;
}

export interface UserRequest {
  /** `name|uid[:group|gid]`; empty is root. */
  readonly user: string;
  /** HostConfig.GroupAdd: names or numbers. */
  readonly groupAdd: readonly string[];
}

/** Largest uid or gid. Source: moby/sys/user, maxID = 1<<31 - 1. */
export const ID_MAX: number = 2 ** 31 - 1;

/** Enough for any image's /etc/passwd or /etc/group; larger files are refused by the caller before reading. Our own figure. */
export const USER_FILE_BYTES_MAX: number = 4 * 1024 * 1024;

/**
 * Looks a user up in a container's own files.
 *
 * A number without an entry is taken as it is; a name must have one. Rules: moby/sys/user GetExecUser.
 * @throws EngineError 'internal' (Docker answers 500) `unable to find user X: no matching entries in passwd file`,
 *   `unable to find group X: no matching entries in group file`; 'invalid-argument' for an id out of range.
 */
export function resolveUser(files: UserFiles, request: UserRequest): ResolvedUser {
  const [userPart = '', groupPart = ''] = request.user.split(':');
  const account = findAccount(files.passwd, userPart);
  const groups = parseGroups(files.group);
  const gid = groupPart === '' ? account.gid : findGroup(groups, groupPart);
  const memberships =
    groupPart === '' && account.name !== undefined
      ? groups
          .filter((group) => account.name !== undefined && group.members.includes(account.name))
          .map((group) => group.gid)
      : [];
  const added = request.groupAdd.map((name) => findAddedGroup(groups, name));
  return { uid: account.uid, gid, additionalGids: [...new Set([gid, ...memberships, ...added])], home: account.home };
}

interface Account {
  readonly name: string | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function findAccount(passwd: string, wanted: string): Account {
  const wantedUid = wanted === '' ? 0 : parseId(wanted);
  for (const line of passwd.split('\n')) {
    const [name = '', , uidText = '', gidText = '', , home = ''] = line.trim().split(':');
    const uid = parseId(uidText);
    if (name === '' || name.startsWith('#') || uid === undefined) continue;
    if ((wanted !== '' && name === wanted) || uid === wantedUid) {
      return { name, uid, gid: parseId(gidText) ?? 0, home: home === '' ? '/' : home };
    }
  }
  if (wantedUid === undefined) {
    throw new EngineError('internal', `unable to find user ${wanted}: no matching entries in passwd file`);
  }
  return { name: undefined, uid: inRange(wantedUid), gid: 0, home: '/' };
}

function parseGroups(text: string): readonly Group[] {
  const groups: Group[] = [];
  for (const line of text.split('\n')) {
    const [name = '', , gidText = '', members = ''] = line.trim().split(':');
    const gid = parseId(gidText);
    if (name === '' || name.startsWith('#') || gid === undefined) continue;
    groups.push({ name, gid, members: members.split(',') });
  }
  return groups;
}

function findGroup(groups: readonly Group[], wanted: string): number {
  const wantedGid = parseId(wanted);
  const found = groups.find((group) => group.name === wanted || group.gid === wantedGid);
  if (found !== undefined) return found.gid;
  if (wantedGid === undefined) {
    throw new EngineError('internal', `unable to find group ${wanted}: no matching entries in group file`);
  }
  return inRange(wantedGid);
}

function findAddedGroup(groups: readonly Group[], wanted: string): number {
  const found = groups.find((group) => group.name === wanted || String(group.gid) === wanted);
  if (found !== undefined) return found.gid;
  const gid = parseId(wanted);
  if (gid === undefined)
    throw new EngineError('internal', `Unable to find group ${wanted}: no matching entries in group file`);
  return inRange(gid);
}

/** As Go's Atoi: an optional sign and digits. */
function parseId(text: string): number | undefined {
  return /^[+-]?\d{1,16}$/.test(text) ? Number(text) + 0 : undefined; // -0 is 0
}

function inRange(id: number): number {
  if (id >= 0 && id <= ID_MAX) return id;
  throw new EngineError('invalid-argument', `uids and gids must be in range 0-${ID_MAX}`);
}
