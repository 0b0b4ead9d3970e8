import { EngineError, isEngineError, type ContainerRef } from '@fairlead/protocol';
import type { ContainerDeps } from './deps.ts';
import { validName } from './name.ts';

/**
 * Gives a container another name.
 * @throws EngineError 'invalid-argument' for an empty, malformed or unchanged name, 'conflict' for a taken one.
 */
export async function renameContainer(
  deps: Pick<ContainerDeps, 'directory' | 'publish'>,
  ref: ContainerRef,
  to: string,
): Promise<void> {
  if (ref === '' || to === '') throw new EngineError('invalid-argument', 'Neither old nor new names may be empty');
  const actor = deps.directory.resolve(ref);
  const name = newName(to);
  const old = actor.record.name;
  if (name === old) {
    throw new EngineError('invalid-argument', 'Renaming a container with the same name as its current name');
  }
  if (actor.state.status === 'removing') {
    throw new EngineError('conflict', `removal of container ${ref} is already in progress`);
  }
  allocating(() => deps.directory.reserveName(name, actor.id));
  try {
    await actor.amend((record) => ({ ...record, name }));
  } catch (cause) {
    deps.directory.releaseName(name, actor.id);
    throw cause;
  }
  deps.directory.releaseName(old, actor.id);
  deps.publish(actor.record, 'rename', { oldName: `/${old}` });
}

/** Docker puts the slash before the name first, and so it is in its words about a bad one. */
function newName(to: string): string {
  return allocating(() => validName(to.startsWith('/') ? to : `/${to}`));
}

function allocating<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!isEngineError(cause)) throw cause;
    throw new EngineError(cause.kind, `Error when allocating new name: ${cause.message}`, { cause });
  }
}
