/** A difference that is meant, with its reason. */
export interface IntendedDifference {
  /** Where: `status`, `content-type`, or a path in the body. */
  readonly at: RegExp;
  /** In which requests; absent: in all. */
  readonly target?: RegExp;
  readonly because: string;
}

/** Every difference that is meant. What is not here is a bug of ours, or of the list. */
export const INTENDED: readonly IntendedDifference[] = [
  { at: /^body\.(LogPath|ResolvConfPath|HostnamePath|HostsPath)$/, because: 'files are in another directory' },
  { at: /^body\.(Driver|GraphDriver)(\.|$)/, because: 'the storage driver is told by another name and its own paths' },
  { at: /^body\.(AppArmorProfile|MountLabel|ProcessLabel)$/, because: 'profiles of the host’s security modules are named only where they are used' },
  { at: /^content-type$/, target: /logs\?/, because: '20.10 sends no media type for logs; 28 does' },
];
