// Runs code that nobody trusts: no network, nothing to write to, little memory, few processes, limits on time and output.
import { connect } from '@fairlead/client';

const TIME_MS = 2_000;
const OUTPUT_BYTES = 1_000;

await using docker = await connect();

async function runUntrusted(code: string): Promise<{ readonly output: string; readonly ended: string }> {
  const { Id: id } = await docker.containers.create({
    Image: 'busybox',
    Cmd: ['sh', '-c', code],
    User: '65534:65534',
    HostConfig: {
      ...{ AutoRemove: true, NetworkMode: 'none', ReadonlyRootfs: true, PidsLimit: 32 },
      ...{ Memory: 64 * 1024 * 1024, MemorySwap: 64 * 1024 * 1024 },
      ...{ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] },
    },
  });
  await using session = await docker.containers.attach(id);
  const end = await docker.containers.openWait(id, { condition: 'removed' });
  await docker.containers.start(id);

  let killedFor = '';
  const kill = async (why: string): Promise<void> => {
    killedFor ||= why;
    await docker.containers.kill(id).catch(() => {}); // It may have ended by itself in this moment.
  };
  using _limit = setTimeout(() => void kill('it took too long'), TIME_MS);
  let output = '';
  for await (const { bytes } of session.output()) {
    output += Buffer.from(bytes).toString();
    if (output.length <= OUTPUT_BYTES) continue;
    await kill('it wrote too much');
    break; // What it wrote until then is thrown away unread.
  }
  const exitCode = await end.exitCode;
  return { output: output.slice(0, OUTPUT_BYTES), ended: killedFor || `exit code ${exitCode}` };
}

for (const code of ['echo 6 times 7 is $((6 * 7))', 'touch /etc/mine', 'while :; do :; done', 'yes']) {
  const { output, ended } = await runUntrusted(code);
  console.log(`${code} → ${ended}: ${output.slice(0, 50).trim().split('\n')[0]}`);
}
