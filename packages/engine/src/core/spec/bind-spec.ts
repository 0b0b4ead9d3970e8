import { EngineError } from '@fairlead/protocol';

/** A `-v` value, taken apart: `source:target[:options]`, or a target alone, which means an anonymous volume. */
export interface BindSpec {
  /** Absolute path: a directory or file of the host. Anything else: a volume's name; undefined: an anonymous volume. */
  readonly source: string | undefined;
  readonly target: string;
  /** The options as written, for inspect. */
  readonly mode: string;
  readonly readOnly: boolean;
  readonly propagation: Propagation | undefined;
}

/** Every propagation a bind may have. Source: mount(8). */
export const PROPAGATIONS = ['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'] as const;

/** How mounts made later below a bind are seen on the other side. */
export type Propagation = (typeof PROPAGATIONS)[number];

/** What an option is about: one option of each kind is allowed. Source: moby volume/mounts/linux_parser.go. */
const OPTION_KIND: ReadonlyMap<string, string> = new Map([
  ['ro', 'access'],
  ['rw', 'access'],
  // SELinux labels: without SELinux, nothing happens, as in Docker.
  ['z', 'label'],
  ['Z', 'label'],
  ['nocopy', 'copy'],
  ...['consistent', 'cached', 'delegated'].map((option) => [option, 'consistency'] as const),
  ...PROPAGATIONS.map((option) => [option, 'propagation'] as const),
]);

/**
 * Reads one entry of HostConfig.Binds.
 *
 * @throws EngineError 'invalid-argument' `invalid volume specification: '…'`, `invalid mode: …`.
 */
export function parseBind(text: string): BindSpec {
  const parts = text.split(':');
  const [first = '', second, mode = ''] = parts;
  if (first === '' || parts.length > 3) throw invalidSpec(text);
  if (second === undefined)
    return { source: undefined, target: first, mode: '', readOnly: false, propagation: undefined };
  // `target:mode` would be an anonymous volume with options, which there is not.
  if (parts.length === 2 && isMountMode(second)) throw invalidSpec(text);
  if (!isMountMode(mode)) throw new EngineError('invalid-argument', `invalid mode: ${mode}`);
  const options = mode.split(',');
  const propagation = PROPAGATIONS.find((candidate) => options.includes(candidate));
  return { source: first, target: second, mode, readOnly: options.includes('ro'), propagation };
}

/** What an option of a mount is about: `access`, `label`, `copy`, `consistency`, `propagation`; undefined for none. */
export function optionKind(option: string): string | undefined {
  return OPTION_KIND.get(option);
}

/** Whether a text is a comma separated list of mount options, at most one of each kind; empty is one. */
export function isMountMode(text: string): boolean {
  if (text === '') return true;
  const kinds = text.split(',').map(optionKind);
  return !kinds.includes(undefined) && new Set(kinds).size === kinds.length;
}

function invalidSpec(text: string): EngineError {
  return new EngineError('invalid-argument', `invalid volume specification: '${text}'`);
}
