// A shell in a container at this terminal: raw mode, its size and changes of it, ctrl-p ctrl-q to leave it running.
import { connect } from '@fairlead/client';

await using docker = await connect();
const { Id: id } = await docker.containers.create({
  Image: 'busybox',
  Cmd: ['sleep', '1000'],
  HostConfig: { AutoRemove: true },
});
await docker.containers.start(id);

await using shell = await docker.containers.spawn(id, ['sh'], { tty: true });
// The terminal is put back as it was on every way out, also if this program is killed by a signal.
const end = await shell.pipeTerminal(process);
if (end === 'stream-ended') console.log(`the shell ended with ${await shell.exitCode()}`);
else console.log('left it running');

await docker.containers.kill(id);
