// Feeds a program in a running container from a stream and gives back what it wrote, with its exit code.
import { connect } from '@fairlead/client';
import { createReadStream } from 'node:fs';

await using docker = await connect();
const { Id: id } = await docker.containers.create({
  Image: 'busybox',
  Cmd: ['sleep', '1000'],
  HostConfig: { AutoRemove: true },
});
await docker.containers.start(id);

// The end of the stream is the end of the program's input, and the exit code is known before this returns.
const { exitCode, stdout } = await docker.containers.exec(id, ['wc', '-l'], {
  stdin: createReadStream(import.meta.filename),
});
console.log(`${stdout.toString().trim()} lines, exit code ${exitCode}`);

const failed = await docker.containers.exec(id, ['ls', '/nosuch']);
console.log(`${failed.stderr.toString().trim()} (exit code ${failed.exitCode})`);

await docker.containers.kill(id);
