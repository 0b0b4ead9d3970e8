import { aside, engine, protocol, says, scene, session, type Behaviours, type Proof } from './shown.ts';

const exec = (title: string) => session('exec', title);
const upgrade = (title: string) => engine('api/upgrade', title);
const directory = (title: string) => engine('core/exec/directory', title);
const program = (title: string) => engine('drivers/oci/exec-session', title);
/** Taken over with and without `Upgrade`. */
const both = (name: string): readonly Proof[] => [scene(`exec of ${name}`), scene(`exec of ${name}, upgraded`)];
const refused = scene('an exec that may not be started, and one that was');

/** Section 5. */
export const execs: Behaviours = {
  '5.1': [
    says('`201', ...both('output')),
    says(
      'Without a command',
      scene('bodies'),
      session('bad-input', 'Invalid detach keys (bogus) provided'),
      exec('is refused while the container is stopped, paused or unknown'),
      scene('exec-create when paused'),
    ),
    says(
      'Exec ids',
      exec('inspect says null before, the code after, and nothing of one that does not exist'),
      directory('knows whole ids only'),
    ),
    says('Event `exec_create', exec('is announced by program and arguments, with a blank behind a program alone')),
    says(
      'The process has',
      ...both('the environment as it is'),
      engine('core/spec/environment', 'lets its own variables win, with TERM for its own terminal'),
      exec('takes -u by name'),
      exec('starts in -w'),
      exec('adds -e to the environment of the container'),
    ),
    says('Without AttachStdin', exec('gives no input without -i'), ...both('input that was not asked for')),
  ],
  '5.2': [
    says(
      '`Detach`',
      exec('that is detached is answered, never taken over'),
      exec('-d says nothing and does not wait'),
      exec('-d fails when the program cannot be started'),
    ),
    says('Else the connection', upgrade('exec, upgraded'), upgrade('exec, not upgraded'), ...both('output')),
    says(
      'HTTP/1.1 101',
      upgrade('exec, upgraded'),
      upgrade('exec, upgraded, before 1.42'),
      upgrade('exec, upgraded, terminal'),
    ),
    says(
      'Everything that can',
      exec('that was started before is refused before the connection is taken over'),
      session('bad-input', 'POST /exec/nosuch/start'),
      refused,
    ),
    aside('Docker takes the', 'it is about Docker'),
    says('That the program', ...both('a program nobody has'), exec('says in the stream that there is no such program')),
    says(
      '`Tty` of the',
      ...both('a terminal, in frames'),
      ...both('two streams, without frames'),
      ...both('a terminal'),
    ),
    says('A mismatch', ...both('a terminal, in frames'), ...both('two streams, without frames')),
  ],
  '5.3': [
    says(
      'Eight bytes',
      protocol('streams/stream-frame', 'reads the length big-endian, as Docker writes it'),
      protocol('streams/stream-frame', 'gives back what was framed, in any chunking'),
      ...both('output and errors'),
    ),
    says('Order holds', upgrade('of 10,000 small writes arrives as 10,000 frames in order')),
  ],
  '5.4': [
    says(
      'input attached, no terminal',
      upgrade('ends the input, and output goes on until the process ends'),
      ...both('input'),
      exec('ends the input of -i, and waits for what comes after'),
    ),
    says(
      'input not attached',
      upgrade('is ignored without stdin, and input is thrown away'),
      ...both('input that was not asked for'),
    ),
    says('a terminal, the client', exec('a half-close at a terminal ends the stream and not the program')),
    says(
      'the client is gone |',
      exec('whose client is gone goes on to its end, printing to nobody, and keeps its code'),
    ),
    says('the client is gone, input', session('exec-streams', 'of cat end it, because its input has ended')),
    says('the client is gone, a terminal', program('a shell lives on when its connection goes away')),
    says(
      'the client does not read',
      session('exec-streams', 'a client of ${what} that stops reading stalls the process, and nothing else'),
    ),
    says('the process has ended, the client', upgrade('ends with the stream although the client keeps its side open')),
    says(
      'the process has ended, a child',
      exec('closes the stream 2 s after the program when a child of it still holds its output'),
      program('a child that holds stdout: exit known at once, output cut after ${EXEC_DRAIN_MS} ms'),
    ),
    says('the process closes', ...both('an output that ends early')),
    says('only input', upgrade('ends a session that has only stdin')),
    says(
      'no stream is attached',
      ...both('nothing attached'),
      upgrade('is not waited for by a session with no streams'),
    ),
    says(
      '**When the stream',
      session(
        'exec-streams',
        'has its exit code at the first inspect after its end, ${EXECS[session.kind]} times of ${EXECS[session.kind]}',
      ),
    ),
    aside('Clients ask', 'why the promise before is made'),
  ],
  '5.5': [
    says('With a terminal', session('detach-keys', 'are input like any other without a terminal')),
    says('`ctrl-p,ctrl-q`', protocol('streams/detach-keys', "reads ${spec || 'nothing as the default'}")),
    says(
      'A beginning',
      session('detach-keys', 'can be one’s own; what only begins like them is passed on'),
      protocol('streams/detach-keys', 'withholds nothing but a start of the keys'),
    ),
    says('They close', session('detach-keys', 'end the stream; the program goes on, and an event tells')),
  ],
  '5.6': [
    says(
      'ExitCode 127',
      exec('says in the stream that there is no such program'),
      exec('says in the stream that it may not be run'),
      exec('says in the stream that there is no such user'),
    ),
    says('Pid 0', ...both('a program nobody has')),
    says('Unlike', ...both('a working directory nobody has')),
  ],
  '5.7': [
    says(
      '`ExitCode` is',
      exec('inspect says null before, the code after, and nothing of one that does not exist'),
      ...both('a signal'),
    ),
    says('`Running` is', directory('runs from the claim of its start on, before there is a process')),
    says(
      '`Pid` stays',
      directory('has no code before the end, the pid from the start on, and the user and the keys as they were given'),
      ...both('output'),
    ),
    says('`DetachKeys`', refused),
    says(
      'A container',
      refused,
      directory("lists a container's execs that have not ended"),
      scene('create with plain'),
    ),
  ],
  '5.8': [
    says(
      'Before the start',
      exec('a resize that comes before the start waits for it'),
      engine('core/exec/resize', 'waits ten seconds for a start, and no longer'),
    ),
    says('After the end', exec('cannot be resized after its end')),
    says('Without a terminal', refused),
    says('`h` and `w`', refused),
  ],
  '5.9': [
    says('Finished ones', directory('keeps a finished exec for five to ten minutes')),
    says(
      'When the container stops',
      refused,
      directory('forgets what was never started when the container stops, and keeps the rest'),
    ),
    says('When it is removed', directory('forgets everything with the container'), ...both('output')),
    says(
      'Execs live',
      session('engine-killed', 'tells the end of what ended meanwhile as an event, and its exec as unknown'),
    ),
  ],
  '5.10': [
    says('The stop signal', session('stop', 'reaches the first process and no exec, which ends with it')),
    says(
      'Execs end',
      session('stop', 'reaches the first process and no exec, which ends with it'),
      exec('ends with 137 when the container goes by ${how} meanwhile'),
    ),
  ],
};
