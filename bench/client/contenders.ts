/** The clients that are measured, each used as its readme shows it. */
import { PassThrough, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** What is asked of each. */
export interface BenchedClient {
  /** Reads a log to its end, taken apart into its two streams. Returns the bytes that came. */
  readLog(container: string): Promise<number>;
  /** Begins to read a log and takes no more than what comes first. */
  stallOnLog(container: string): Promise<void>;
  /** Runs a program in a container to its end. Returns its exit code. */
  exec(container: string, command: readonly string[]): Promise<number>;
}

/** In the order of the table. */
export const CLIENTS: readonly string[] = ['@fairlead/client', 'dockerode', '@docker/node-sdk'];

/** Loads a client and points it at the engine behind a socket. */
export async function openClient(name: string, socketPath: string): Promise<BenchedClient> {
  if (name === 'dockerode') return await dockerode(socketPath);
  return name === '@docker/node-sdk' ? await nodeSdk(socketPath) : await fairlead(socketPath);
}

async function fairlead(socketPath: string): Promise<BenchedClient> {
  const { connect } = await import('@fairlead/client');
  const docker = await connect({ host: `unix://${socketPath}` });
  return {
    readLog: async (container) => {
      let bytes = 0;
      for await (const chunk of docker.containers.logChunks(container)) bytes += chunk.bytes.byteLength;
      return bytes;
    },
    stallOnLog: async (container) => void (await docker.containers.logChunks(container).next()),
    exec: async (container, command) => (await docker.containers.exec(container, command)).exitCode,
  };
}

async function dockerode(socketPath: string): Promise<BenchedClient> {
  const { default: Docker } = await import('dockerode');
  const docker = new Docker({ socketPath });
  return {
    readLog: async (container) => {
      const stream = await docker.getContainer(container).logs({ follow: true, stdout: true, stderr: true });
      const counts = [countBytes(), countBytes()] as const;
      docker.modem.demuxStream(stream, counts[0].stream, counts[1].stream);
      await finished(stream);
      return counts[0].bytes() + counts[1].bytes();
    },
    stallOnLog: async (container) => {
      const stream = await docker.getContainer(container).logs({ follow: true, stdout: true, stderr: true });
      docker.modem.demuxStream(stream, new PassThrough(), new PassThrough());
    },
    exec: async (container, command) => {
      const exec = await docker
        .getContainer(container)
        .exec({ Cmd: [...command], AttachStdout: true, AttachStderr: true });
      const stream = await exec.start({});
      docker.modem.demuxStream(stream, countBytes().stream, countBytes().stream);
      await finished(stream, { writable: false });
      return (await exec.inspect()).ExitCode ?? -1;
    },
  };
}

async function nodeSdk(socketPath: string): Promise<BenchedClient> {
  const { DockerClient } = await import('@docker/node-sdk');
  const docker = await DockerClient.fromDockerHost(`unix://${socketPath}`);
  const both = { follow: true, stdout: true, stderr: true };
  return {
    readLog: async (container) => {
      const counts = [countBytes(), countBytes()] as const;
      await docker.containerLogs(container, counts[0].stream, counts[1].stream, both);
      return counts[0].bytes() + counts[1].bytes();
    },
    stallOnLog: async (container) => {
      void docker.containerLogs(container, new PassThrough(), new PassThrough(), both);
    },
    exec: async (container, command) => {
      const { Id } = await docker.containerExec(container, {
        Cmd: [...command],
        AttachStdout: true,
        AttachStderr: true,
      });
      await docker.execStart(Id, countBytes().stream, countBytes().stream);
      return (await docker.execInspect(Id)).ExitCode ?? -1;
    },
  };
}

function countBytes(): { readonly stream: Writable; readonly bytes: () => number } {
  let bytes = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      done();
    },
  });
  return { stream, bytes: () => bytes };
}
