import type { FleetCommand, FleetRole } from '@fairlead/protocol/fleet';

/** Host settings that let a container reach past itself, in lower case: engines read keys without regard to case. */
const LISTS: ReadonlySet<string> = new Set(['capadd', 'devices', 'devicerequests', 'devicecgrouprules', 'securityopt']);
const NAMESPACES: ReadonlySet<string> = new Set([
  'pidmode',
  'ipcmode',
  'networkmode',
  'usernsmode',
  'cgroupnsmode',
  'utsmode',
]);
const OTHER_PEOPLES = /^(host$|container:|ns:)/;

/** The least role that may ask for this: exec runs programs, and a privileged container is the host's root. */
export function roleForCommand(command: FleetCommand): FleetRole {
  if (command.verb === 'exec') return 'exec';
  if (command.verb === 'create' && isPrivileged(command.body)) return 'admin';
  return 'operate';
}

/** True when a create's body asks for more than a container of its own. */
export function isPrivileged(body: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(body).some(
    ([key, value]) => key.toLowerCase() === 'hostconfig' && entriesOf(value).some(reachesOut),
  );
}

function reachesOut([key, value]: readonly [string, unknown]): boolean {
  const name = key.toLowerCase();
  if (name === 'privileged') return value !== false && value !== null;
  if (LISTS.has(name)) return !isEmpty(value);
  if (NAMESPACES.has(name)) return typeof value === 'string' && OTHER_PEOPLES.test(value.toLowerCase());
  if (name === 'binds') return itemsOf(value).some((bind) => typeof bind !== 'string' || bind.startsWith('/'));
  if (name === 'mounts') return itemsOf(value).some(isBindMount);
  // Volumes with options of the local driver mount whatever they name; those of others are other people's.
  return name === 'volumesfrom' || name === 'cgroupparent' || name === 'runtime' ? !isEmpty(value) : false;
}

function isBindMount(mount: unknown): boolean {
  return entriesOf(mount).some(([key, value]) => {
    const name = key.toLowerCase();
    return (
      (name === 'type' && value !== 'volume' && value !== 'tmpfs') || (name === 'volumeoptions' && !isEmpty(value))
    );
  });
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
