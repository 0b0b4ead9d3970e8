// Stops a container that does not listen to SIGTERM, with a bound on the whole: grace, kill and the way back fit into it.
import { connect, DeadlineTooShortError } from '@fairlead/client';

await using docker = await connect();
const deaf = ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'];
const { Id: id } = await docker.containers.create({ Image: 'busybox', Cmd: deaf, HostConfig: { AutoRemove: true } });
await docker.containers.start(id);

try {
  await docker.containers.stop(id, { graceMs: 60_000, withinMs: 20_000 });
} catch (error) {
  if (!(error instanceof DeadlineTooShortError)) throw error;
  // Nothing was sent: a minute of grace cannot end within 20 seconds, whatever happens.
  console.log('a minute of grace does not fit into 20 seconds');
}

const { outcome, exitCode } = await docker.containers.stop(id, {
  graceMs: 1_000,
  withinMs: 20_000,
  onPhase: ({ phase }) => console.error(`… ${phase}`),
});
console.log(`${outcome}, exit code ${exitCode}`);
