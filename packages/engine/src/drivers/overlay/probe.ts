import { join } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import { isErrno } from '../../host/errno.ts';
import { getExtendedAttribute, setExtendedAttribute } from '../../host/file-nodes.ts';
import { makeDirectory, removeFile, removeTree, writePlainFile } from '../../host/files.ts';
import { mountPath, unmountPath } from '../../host/mounts.ts';
import { absoluteOptions, type OverlayStack } from './mount-options.ts';

/**
 * What the engine wants of overlayfs, whatever the kernel's defaults are: the layers' directories are shared between mounts
 * (`index`), and a writable layer holds whole files under their own names, so that it can be read without overlayfs.
 */
const FEATURES = ['index=off', 'redirect_dir=off', 'metacopy=off'] as const;

/** Mount options that this kernel accepts. */
export interface OverlayAbilities {
  /** For every mount. */
  readonly features: readonly string[];
  /** For a writable layer that is never synced; empty when the kernel has no such option. */
  readonly volatile: readonly string[];
}

/**
 * Tries an overlay mount with its writable layer under `directory`, deletes a file through it, and takes it away again.
 *
 * @returns what this kernel can do.
 * @throws EngineError 'unavailable' that says why the directory cannot hold containers.
 */
export async function probeOverlay(directory: string): Promise<OverlayAbilities> {
  const probe = join(directory, 'probe');
  const merged = join(probe, 'merged');
  await unmountPath(merged);
  await removeTree(probe);
  for (const name of ['lower/diff', 'upper', 'work', 'merged']) await makeDirectory(join(probe, name));
  await writePlainFile(join(probe, 'lower/diff/file'), '', 0o600);
  const stack = { layers: probe, lower: ['lower/diff'], upper: join(probe, 'upper'), work: join(probe, 'work') };
  try {
    setExtendedAttribute(stack.upper, 'trusted.overlay.opaque', Buffer.from('y'));
    getExtendedAttribute(stack.upper, 'trusted.overlay.opaque');
    const abilities = await mostAccepted(stack, merged);
    await removeFile(join(merged, 'file'));
    return abilities;
  } catch (cause) {
    throw refusal(directory, cause);
  } finally {
    await unmountPath(merged);
    await removeTree(probe);
  }
}

/** From the newest kernels to the oldest: one without these options has not these features either. Volatile: Linux 5.10. */
const CANDIDATES: readonly OverlayAbilities[] = [
  { features: FEATURES, volatile: ['volatile'] },
  { features: FEATURES, volatile: [] },
];

async function mostAccepted(stack: Omit<OverlayStack, 'features'>, merged: string): Promise<OverlayAbilities> {
  for (const { features, volatile } of CANDIDATES) {
    try {
      await mountOverlay({ ...stack, features: [...features, ...volatile] }, merged);
      return { features, volatile };
    } catch (error) {
      // EINVAL for another reason comes again below.
      if (!isErrno(error, 'EINVAL')) throw error;
    }
  }
  await mountOverlay({ ...stack, features: [] }, merged);
  return { features: [], volatile: [] };
}

async function mountOverlay(stack: OverlayStack, target: string): Promise<void> {
  await mountPath({ source: 'overlay', target, type: 'overlay', options: absoluteOptions(stack) });
}

function refusal(directory: string, cause: unknown): unknown {
  if (!isErrno(cause)) return cause;
  const reason = REASONS.get(cause.code ?? '') ?? cause.message;
  return new EngineError('unavailable', `cannot use overlayfs in ${directory}: ${reason}`, { cause });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  [
    'EINVAL',
    'its file system cannot hold the writable layer (is it an overlay itself?); use a root on ext4, xfs, btrfs or tmpfs',
  ],
  [
    'EREMOTE',
    'its file system cannot hold the writable layer (a network file system?); use a root on ext4, xfs, btrfs or tmpfs',
  ],
  ['ENODEV', 'the kernel has no overlayfs (modprobe overlay)'],
  ['EPERM', 'mounting is not permitted (CAP_SYS_ADMIN is needed)'],
  ['EACCES', 'mounting is not permitted (CAP_SYS_ADMIN is needed)'],
  ['ENOTSUP', 'its file system has no trusted extended attributes'],
]);
