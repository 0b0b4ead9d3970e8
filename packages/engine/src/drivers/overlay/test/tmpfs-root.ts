import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountPath, unmountTree } from '../../../host/mounts.ts';

/** A directory on a file system of its own that can hold writable layers, whatever the temporary directory is on. */
export async function tmpfsRoot(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = mkdtempSync(join(tmpdir(), 'fairlead-layers-'));
  await mountPath({ source: 'tmpfs', target: path, type: 'tmpfs', options: 'mode=0700,size=256m' });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await unmountTree(path);
      rmSync(path, { recursive: true });
    },
  };
}
