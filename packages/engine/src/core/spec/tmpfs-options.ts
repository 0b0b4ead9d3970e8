import { EngineError, type Mount } from '@fairlead/protocol';

/** What a tmpfs has unless its options say otherwise. Source: moby daemon/oci_linux.go, WithMounts. */
const DEFAULT_OPTIONS: readonly string[] = ['noexec', 'nosuid', 'nodev', 'rprivate'];

/** Options that set or clear the same thing, by its name: of each only the last counts. Source: moby/sys/mount/flags_linux.go. */
const FLAG_SUBJECT: ReadonlyMap<string, string> = new Map([
  ['ro', 'writable'],
  ['rw', 'writable'],
  ['suid', 'suid'],
  ['nosuid', 'suid'],
  ['dev', 'dev'],
  ['nodev', 'dev'],
  ['exec', 'exec'],
  ['noexec', 'exec'],
  ['sync', 'sync'],
  ['async', 'sync'],
  ['dirsync', 'dirsync'],
  ['remount', 'remount'],
  ['mand', 'mand'],
  ['nomand', 'mand'],
  ['atime', 'atime'],
  ['noatime', 'atime'],
  ['diratime', 'diratime'],
  ['nodiratime', 'diratime'],
  ['relatime', 'relatime'],
  ['norelatime', 'relatime'],
  ['strictatime', 'strictatime'],
  ['nostrictatime', 'strictatime'],
  ...['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'].map(
    (option) => [option, 'propagation'] as const,
  ),
]);

const VALUE_OPTIONS: ReadonlySet<string> = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/**
 * The mount options of a tmpfs: Docker's defaults, overridden by `text` (`size=1m,exec`).
 *
 * @throws EngineError 'invalid-argument' `invalid tmpfs option ["bogus"]`. Source: moby/sys/mount, MergeTmpfsOptions.
 */
export function tmpfsOptions(text: string): readonly string[] {
  const chosen = new Map<string, string>();
  for (const option of [...DEFAULT_OPTIONS, ...(text === '' ? [] : text.split(','))]) {
    if (option === 'defaults') continue;
    const subject = FLAG_SUBJECT.get(option) ?? valueSubject(option);
    // The last word counts, and stands where it was said.
    chosen.delete(subject);
    chosen.set(subject, option);
  }
  return [...chosen.values()];
}

/** The option text of a `--mount type=tmpfs`. @throws EngineError 'invalid-argument' for an option Docker does not take. */
export function tmpfsMountText(mount: Mount): string {
  const { SizeBytes: sizeBytes = 0, Mode: mode = 0, Options: options = null } = mount.TmpfsOptions ?? {};
  const extra = (options ?? []).map((pair) => {
    if (pair.length < 1 || pair.length > 2) throw new EngineError('invalid-argument', 'invalid option array length');
    if (pair[0] !== 'exec' && pair[0] !== 'noexec')
      throw new EngineError('invalid-argument', `invalid option: ${pair[0]}`);
    return pair.join('=');
  });
  return [
    ...(mount.ReadOnly ? ['ro'] : []),
    ...(mode === 0 ? [] : [`mode=${mode.toString(8)}`]),
    ...(sizeBytes === 0 ? [] : [`size=${sizeBytes}`]),
    ...extra,
  ].join(',');
}

function valueSubject(option: string): string {
  const [name = '', value] = option.split('=', 2);
  if (value !== undefined && VALUE_OPTIONS.has(name)) return name;
  throw new EngineError('invalid-argument', `invalid tmpfs option ${JSON.stringify(option.split('='))}`);
}
