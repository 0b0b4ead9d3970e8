import type { Scene, Step } from '../step.ts';

/** What is executed: exec's body, start's body, and what is sent in. */
const CASES: Readonly<Record<string, { readonly exec: object; readonly start?: object; readonly input?: string }>> = {
  output: { exec: { Cmd: ['sh', '-c', 'echo out'], AttachStdout: true } },
  'output and errors': {
    exec: { Cmd: ['sh', '-c', 'echo out; sleep 0.2; echo err >&2; exit 3'], AttachStdout: true, AttachStderr: true },
  },
  'errors that nobody asked for': { exec: { Cmd: ['sh', '-c', 'echo out; echo err >&2'], AttachStdout: true } },
  'a terminal': {
    exec: { Cmd: ['sh', '-c', 'echo out; tty >/dev/null && exit 5'], AttachStdout: true, Tty: true },
    start: { Tty: true },
  },
  input: { exec: { Cmd: ['cat'], AttachStdin: true, AttachStdout: true }, input: 'hello\n' },
  'input that nobody reads': { exec: { Cmd: ['true'], AttachStdin: true, AttachStdout: true }, input: 'hello\n' },
  'input that was not asked for': { exec: { Cmd: ['cat'], AttachStdout: true }, input: 'hello\n' },
  'a program nobody has': { exec: { Cmd: ['nosuch'], AttachStdout: true } },
  'a path nobody has': { exec: { Cmd: ['/nosuch'], AttachStdout: true } },
  'a directory': { exec: { Cmd: ['/etc'], AttachStdout: true } },
  'a working directory': { exec: { Cmd: ['pwd'], AttachStdout: true, WorkingDir: '/tmp' } },
  'a working directory nobody has': { exec: { Cmd: ['pwd'], AttachStdout: true, WorkingDir: '/nosuch' } },
  environment: { exec: { Cmd: ['sh', '-c', 'echo $A'], AttachStdout: true, Env: ['A=b'] } },
  'a user': { exec: { Cmd: ['id', '-u'], AttachStdout: true, User: '1000' } },
  'a user nobody knows': { exec: { Cmd: ['id'], AttachStdout: true, User: 'nosuch' } },
  'nothing attached': { exec: { Cmd: ['true'] } },
  'a signal': { exec: { Cmd: ['sh', '-c', 'kill -9 $$'], AttachStdout: true } },
  'a terminal, in frames': { exec: { Cmd: ['sh', '-c', 'echo out'], AttachStdout: true, Tty: true } },
  'two streams, without frames': {
    exec: { Cmd: ['sh', '-c', 'echo out; echo err >&2'], AttachStdout: true, AttachStderr: true },
    start: { Tty: true },
  },
  'an output that ends early': {
    exec: { Cmd: ['sh', '-c', 'exec >&- 2>&-; sleep 0.3; exit 3'], AttachStdout: true, AttachStderr: true },
  },
  'a group nobody knows': { exec: { Cmd: ['id'], AttachStdout: true, User: 'root:nosuch' } },
  'a relative working directory': { exec: { Cmd: ['pwd'], AttachStdout: true, WorkingDir: 'tmp' } },
  'a program without a name': { exec: { Cmd: [''], AttachStdout: true } },
  'the environment as it is': { exec: { Cmd: ['env'], AttachStdout: true } },
};

const container: Step = {
  target: 'POST /containers/create?name=ee',
  json: {
    Image: 'busybox',
    Cmd: ['sleep', '1000'],
    Hostname: 'e',
    Env: ['FROM=container'],
    StopSignal: 'SIGKILL',
    HostConfig: { NetworkMode: 'none' },
  },
  keep: 'c',
};

/** Execs, from create to exit code. */
export const execScenes: readonly Scene[] = [true, false].flatMap((upgrade) =>
  Object.entries(CASES).map(([name, { exec, start, input }]) => ({
    name: `exec of ${name}${upgrade ? ', upgraded' : ''}`,
    steps: [
      container,
      { target: 'POST /containers/ee/start', compare: 'status' },
      { target: 'POST /containers/ee/exec', json: exec, keep: 'x' },
      { target: 'GET /exec/{x}/json' },
      {
        target: 'POST /exec/{x}/start',
        json: { Detach: false, Tty: false, ...start },
        hijack: { input: input ?? '', upgrade },
      },
      // With nothing attached the stream does not say when it is over.
      { target: 'GET /exec/{x}/json', compare: name === 'nothing attached' ? 'status' : 'all' },
      { target: 'DELETE /containers/ee?force=1', compare: 'status' },
      { target: 'GET /exec/{x}/json' },
    ] satisfies Step[],
  })),
);
