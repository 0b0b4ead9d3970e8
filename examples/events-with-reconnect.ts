// Follows the engine's events across restarts of the engine: a gap says that some may have been missed.
import { connect } from '@fairlead/client';

await using docker = await connect();
const enough = new AbortController();
const deadIds = new Set<string>();

const watching = (async () => {
  const filters = new Map([['type', ['container']]]);
  for await (const item of docker.events({ reconnect: true, filters, signal: enough.signal })) {
    if (item.kind === 'gap') {
      // The engine was away: what is true now has to be asked for.
      for (const { Id } of await docker.containers.list({ all: true })) console.log(`still there: ${Id}`);
      continue;
    }
    const { Action, Actor } = item.event;
    if (Action === 'die') deadIds.add(Actor.ID);
    if (deadIds.size === 3) return;
  }
})();

// Something to see: three containers that end by themselves.
for (let left = 3; left > 0; left -= 1) await docker.run('busybox', ['true'], { autoRemove: true });
await watching;
enough.abort();
console.log(`${deadIds.size} containers ended`);
