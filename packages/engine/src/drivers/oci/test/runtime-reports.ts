import type { ErrorKind } from '@fairlead/protocol';
import type { RuntimeCall } from '../runtime-failure.ts';

/** What a runtime really wrote to its log, and what a person is told. */
export interface RuntimeReport extends RuntimeCall {
  readonly report: string;
  readonly words: string;
  readonly exitCode: 126 | 127 | 128;
  readonly kind: ErrorKind;
}

const CREATE = 'failed to create shim task: OCI runtime create failed: ';
const STARTING = 'runc create failed: unable to start container process: ';
const EXEC = 'OCI runtime exec failed: exec failed: ';

/** Recorded from crun 1.8.1 (Debian 12), `--log` as text. */
export const CRUN_REPORTS: readonly RuntimeReport[] = [
  {
    operation: 'create',
    program: 'nosuch',
    report: 'executable file `nosuch` not found in $PATH: No such file or directory\n',
    words: `${CREATE}${STARTING}exec: "nosuch": executable file not found in $PATH: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: './nosuch',
    report: 'executable file `./nosuch` not found in $PATH: No such file or directory\n',
    words: `${CREATE}${STARTING}exec: "./nosuch": stat ./nosuch: no such file or directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin/sh/foo',
    report: 'open executable: Not a directory\n',
    words: `${CREATE}${STARTING}exec: "/bin/sh/foo": stat /bin/sh/foo: not a directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin',
    report: 'open executable: Operation not permitted\n',
    words: `${CREATE}${STARTING}exec: "/bin": permission denied: unknown`,
    exitCode: 126,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin/notexec',
    report: 'open executable: Permission denied\n',
    words: `${CREATE}${STARTING}exec: "/bin/notexec": permission denied: unknown`,
    exitCode: 126,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: 'notexec',
    report: 'open executable: Permission denied\n',
    words: `${CREATE}${STARTING}exec: "notexec": executable file not found in $PATH: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '',
    report: 'open executable: Operation not permitted\n',
    words: `${CREATE}${STARTING}exec: "": executable file not found in $PATH: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin/true',
    report: "error stat'ing file `/nonexistent-src`: No such file or directory\n",
    words: `${CREATE}${STARTING}error during container init: error mounting "/nonexistent-src": stat /nonexistent-src: no such file or directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin/true',
    report: 'chdir `/bin/sh`: Not a directory\n',
    words: `${CREATE}${STARTING}chdir to cwd ("/bin/sh") set in config.json failed: not a directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin/true',
    report: 'writing file `memory.memsw.limit_in_bytes`: Invalid argument\n',
    words: `${CREATE}writing file \`memory.memsw.limit_in_bytes\`: Invalid argument: unknown`,
    exitCode: 128,
    kind: 'internal',
  },
  {
    operation: 'create',
    program: '/bin/true',
    report: 'OOM: the memory limit could be too low: read from sync socket: Connection reset by peer\n',
    words: `${CREATE}OOM: the memory limit could be too low: read from sync socket: Connection reset by peer: unknown`,
    exitCode: 128,
    kind: 'internal',
  },
  {
    operation: 'create',
    program: '/bin/true',
    report: '',
    words: `${CREATE}the runtime ended without saying why: unknown`,
    exitCode: 128,
    kind: 'internal',
  },
  {
    operation: 'exec',
    program: '/nosuch',
    report: 'executable file `/nosuch` not found in $PATH: No such file or directory\n',
    words: `${EXEC}unable to start container process: exec: "/nosuch": stat /nosuch: no such file or directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'exec',
    program: 'true',
    report: 'chdir `/nosuchdir`: No such file or directory\n',
    words: `${EXEC}unable to start container process: chdir to cwd ("/nosuchdir") set in config.json failed: no such file or directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'exec',
    program: 'true',
    report: 'the container `e1` is paused\n',
    words: `${EXEC}cannot exec in a paused container: unknown`,
    exitCode: 128,
    kind: 'conflict',
  },
  {
    operation: 'exec',
    program: 'true',
    report: 'fail startup\nsetns(pid=16954, CLONE_NEWUSER): No such process\n',
    words: `${EXEC}cannot exec in a stopped container: unknown`,
    exitCode: 128,
    kind: 'conflict',
  },
  {
    operation: 'exec',
    program: 'true',
    report: 'error opening file `/run/state/e1/status`: No such file or directory\n',
    words: `${EXEC}cannot exec in a stopped container: unknown`,
    exitCode: 128,
    kind: 'conflict',
  },
];

const RUNC_TIME = '"time":"2026-11-22T10:42:17Z"}\n';

/** Recorded from runc 1.1.5 (Debian 12), `--log-format json`. */
export const RUNC_REPORTS: readonly RuntimeReport[] = [
  {
    operation: 'create',
    program: 'nosuch',
    report: `{"level":"error","msg":"runc create failed: unable to start container process: exec: \\"nosuch\\": executable file not found in $PATH",${RUNC_TIME}`,
    words: `${CREATE}${STARTING}exec: "nosuch": executable file not found in $PATH: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin',
    report: `{"level":"error","msg":"runc create failed: unable to start container process: exec: \\"/bin\\": permission denied",${RUNC_TIME}`,
    words: `${CREATE}${STARTING}exec: "/bin": permission denied: unknown`,
    exitCode: 126,
    kind: 'invalid-argument',
  },
  {
    operation: 'create',
    program: '/bin/true',
    report:
      `{"level":"warning","msg":"lstat /sys/fs/cgroup/devices/x: no such file or directory",${RUNC_TIME}` +
      `{"level":"error","msg":"runc create failed: unable to start container process: error during container init: error setting cgroup config for procHooks process: unable to set memory limit to 4096 (current usage: 1937408, peak usage: 2260992)",${RUNC_TIME}`,
    words: `${CREATE}${STARTING}error during container init: error setting cgroup config for procHooks process: unable to set memory limit to 4096 (current usage: 1937408, peak usage: 2260992): unknown`,
    exitCode: 128,
    kind: 'internal',
  },
  {
    operation: 'exec',
    program: '/nosuch',
    report: `{"level":"error","msg":"exec failed: unable to start container process: exec: \\"/nosuch\\": stat /nosuch: no such file or directory",${RUNC_TIME}`,
    words: `${EXEC}unable to start container process: exec: "/nosuch": stat /nosuch: no such file or directory: unknown`,
    exitCode: 127,
    kind: 'invalid-argument',
  },
  {
    operation: 'exec',
    program: 'true',
    report: `{"level":"error","msg":"exec failed: cannot exec in a stopped container",${RUNC_TIME}`,
    words: `${EXEC}cannot exec in a stopped container: unknown`,
    exitCode: 128,
    kind: 'conflict',
  },
];
