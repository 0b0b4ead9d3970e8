import { EngineError, parseMemory, type StringMap } from '@fairlead/protocol';
import type { VolumeMount } from '../ports/volume-store.ts';

const KNOWN: readonly string[] = ['type', 'o', 'device', 'size'];
/** What each option needs beside it. Source: moby volume/local/local_unix.go, mandatoryOpts. */
const NEEDS: readonly (readonly [string, readonly string[]])[] = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
];

/**
 * Checks DriverOpts for the local driver. `size` needs quotas of the file system, which this engine does not set.
 *
 * @throws EngineError 'invalid-argument' `create NAME: invalid option: "x"`, in Docker's words.
 */
export function checkVolumeOptions(name: string, options: StringMap<string>): void {
  const refuse = (words: string): never => {
    throw new EngineError('invalid-argument', `create ${name}: ${words}`);
  };
  for (const option of Object.keys(options)) {
    if (!KNOWN.includes(option)) refuse(`invalid option: ${JSON.stringify(option)}`);
    if (options[option]?.includes('\0') === true) refuse(`invalid option: ${JSON.stringify(option)}`);
  }
  const size = options['size'];
  if (size !== undefined && parseMemory(size) > 0) refuse('quota size requested but no quota support');
  for (const [option, needed] of NEEDS) {
    if (options[option] === undefined) continue;
    for (const other of needed) {
      if (options[other] === undefined) refuse(`missing required option: ${JSON.stringify(other)}`);
    }
  }
}

/** What has to be mounted before a volume with these options is used; undefined: nothing. */
export function volumeMountOf(options: StringMap<string> | null): VolumeMount | undefined {
  const device = options?.['device'];
  if (options === null || device === undefined) return undefined;
  return { type: options['type'] ?? '', device, options: options['o'] ?? '' };
}
