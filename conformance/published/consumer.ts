/**
 * A program of somebody else's, which knows the published client alone: `packages.test.ts` copies it into a project of its own, checks its
 * types there and runs it as `node consumer.ts ENGINE CONTAINER`. Prints what it saw, as JSON.
 */
import { connect, type LogLine } from '@fairlead/client';

const [host, name = ''] = process.argv.slice(2);
await using docker = await connect({ host });

// Counts for ever; TERM ends it with 5.
const counts = 'trap "exit 5" TERM; i=0; while :; do echo line $((i += 1)); sleep 0.1; done';
// Podman kills at once where no grace is named.
const body = { Image: 'busybox', Cmd: ['sh', '-c', counts], StopTimeout: 10, HostConfig: { NetworkMode: 'none' } };
await docker.containers.create(body, { name });
await docker.containers.start(name);

const followed: string[] = [];
for await (const line of docker.containers.logs(name, { follow: true })) {
  followed.push(textOf(line));
  if (followed.length === 3) break;
}

const { exitCode, stdout } = await docker.containers.exec(name, ['sh', '-c', 'cat; exit 3'], { stdin: 'from stdin' });
const { changed } = await docker.containers.stop(name);
const again = await docker.containers.stop(name);
const { State } = await docker.containers.inspect(name);
await docker.containers.remove(name);

console.log(
  JSON.stringify({
    followed,
    exec: { exitCode, stdout: stdout.toString() },
    stopped: [changed, again.changed, State.ExitCode],
  }),
);

function textOf(line: LogLine): string {
  // @ts-expect-error -- A field that is not there is refused: the types are really read.
  void line.nosuch;
  return line.text;
}
