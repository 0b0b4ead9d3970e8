import { EngineError, type ContainerId } from '@fairlead/protocol';
import type { VolumeDeps } from './deps.ts';
import { LOCAL_DRIVER } from './record.ts';

export interface RemoveVolume {
  /** A volume that does not exist is success. One in use is refused all the same. */
  readonly force: boolean;
  /** The container on whose behalf it is removed: its own use does not count. */
  readonly user?: ContainerId;
}

/**
 * Removes a volume with its content.
 *
 * @throws EngineError 'not-found', or 'conflict' `remove NAME: volume is in use - [ID, …]` while a container uses it, running
 *   or not.
 */
export async function removeVolume(deps: VolumeDeps, name: string, command: RemoveVolume): Promise<void> {
  if (command.force && !deps.directory.isStored(name)) return;
  deps.directory.resolve(name);
  await deps.directory.exclusive(name, async () => {
    // Somebody else's removal may have been faster: it is gone, as asked.
    if (deps.directory.get(name) === undefined) return;
    const users = deps.directory.usersOf(name, command.user);
    if (users.length > 0) {
      throw new EngineError('conflict', `remove ${name}: volume is in use - [${users.join(', ')}]`);
    }
    // Content before record: a record without content is a removal to be finished, content without a record would be lost.
    await deps.store.remove(name);
    deps.transaction(() => {
      deps.directory.forget(name);
      deps.publish({ type: 'volume', action: 'destroy', actorId: name, attributes: { driver: LOCAL_DRIVER } });
    });
  });
}
