/** Programs for the shell of busybox that several sessions run in containers. */

/** Says `ready`, and ends with `code` on the signal. */
export function endsOn(signal: string, code: number): readonly string[] {
  return ['sh', '-c', `trap "exit ${code}" ${signal}; echo ready; while :; do sleep 0.05; done`];
}

/** Says `ready`, and ends by SIGKILL only, when it is the first process. */
export const IGNORES_TERM: readonly string[] = ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'];

/** Repeats lines of its input as `got …`; the line `end` ends it with 6. */
export const ECHOES_LINES: readonly string[] = [
  'sh',
  '-c',
  'while read line; do echo "got $line"; [ "$line" = end ] && exit 6; done',
];

/**
 * At a terminal: says its size whenever SIGWINCH comes, once it is 31 × 97; repeats lines, and ends with 4 at the line `end`. The watch
 * is a process of its own, because a signal ends a read of the shell.
 */
export const TELLS_SIZE_AND_LINES: string = [
  'size() { stty size < /dev/tty 2> /dev/null; }',
  '(trap "echo size \\$(size)" WINCH; while :; do sleep 0.05; done) &',
  'until [ "$(size)" = "31 97" ]; do sleep 0.05; done',
  'echo "size $(size)"',
  'while read line; do echo "got $line"; if [ "$line" = end ]; then kill $!; exit 4; fi; done',
].join('\n');
