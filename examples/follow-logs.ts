// Follows a log line by line: which stream, when, what. Leaving the loop frees the connection.
import { connect } from '@fairlead/client';

await using docker = await connect();
const { Id: id } = await docker.containers.create({
  Image: 'busybox',
  Cmd: ['sh', '-c', 'i=0; while :; do echo "tick $((i += 1))"; [ $i = 2 ] && echo oops >&2; sleep 0.1; done'],
  HostConfig: { AutoRemove: true },
});
await docker.containers.start(id);

let lines = 0;
for await (const { stream, time, text } of docker.containers.logs(id, { follow: true })) {
  console.error(`${time?.toISOString()} ${stream} ${text}`);
  if (stream === 'stderr') console.log(`on stderr: ${text}`);
  if ((lines += 1) === 5) break;
}
console.log(`${lines} lines`);

await docker.containers.kill(id);
