import { engine, protocol, says, scene, session, type Behaviour, type Behaviours, type Proof } from './shown.ts';

const matrix = (title: string) => session('state-matrix', title);
const shownInStates = 'files, figures, limits and images can be asked for';
const STATES = ['created', 'running', 'paused', 'exited'] as const;

/** A row of the matrix: asked in four states by the matrix and beside dockerd, and between two runs. */
function row(start: string, operation: string, ...more: readonly Proof[]): Behaviour {
  return says(start, ...STATES.map((state) => scene(`${operation} when ${state}`)), ...more);
}

const whileRestarting = matrix('restarting: what leaves it as it is');
const endsRestarts = matrix('restarting: ${target} ends it at once');
const refusedBetween = matrix('restarting: a wait waits, attach and resize are refused, a rename is not');
const always = matrix('${state}: ' + shownInStates);

/** Section 2. */
export const states: Behaviours = {
  '2.1': [
    says(
      '`created`, `running`',
      engine('core/container/wire-state', 'while it is removed'),
      engine('core/container/wire-state', 'when its remains could not be removed'),
      engine('core/container/wire-state', 'between two runs of a restart policy'),
      matrix('${state}: ${target} → ${status}'),
    ),
    says(
      '`Running` is true',
      session('lifecycle', 'pause holds the processes, unpause lets them go on'),
      engine('core/container/wire-state', 'between two runs of a restart policy'),
    ),
    says('A time that never', session('lifecycle', 'inspect tells configuration and state')),
    says(
      'A start resets',
      scene('a second run'),
      engine('core/container/wire-state', 'while it runs, the last run is forgotten'),
    ),
    says(
      'An exit sets',
      session('run', 'ends with 137 when the container was killed'),
      session('run', 'keeps the container without --rm, with its exit code'),
    ),
    says(
      'A failed start',
      scene('a start that fails: nosuch'),
      scene('a start that fails: directory'),
      scene('a second start that fails'),
      scene('a user nobody knows'),
    ),
    says(
      '`RestartCount`',
      session('restart-policies', 'counts anew after docker restart'),
      session('restart-policies', 'on-failure:2 is three runs'),
    ),
    says(
      '`ps` says',
      engine('core/container/wire-state', 'says how it feels while it runs and is not paused'),
      engine('core/container/wire-state', 'while it is removed'),
      session('lifecycle', 'create, start and the end of it, as ps -a shows them'),
      session('health', 'shows in ps, and can be asked for'),
    ),
    says('Durations are', protocol('duration', 'calls ${ms} ms “${text}”')),
  ],
  '2.2': [
    says('NR is', matrix('container ID is not running'), whileRestarting),
    row('start |', 'start', whileRestarting),
    row(
      'stop |',
      'stop',
      endsRestarts,
      session('stop', 'of a paused container thaws it, so that it can end by itself'),
    ),
    row('restart |', 'restart', matrix('restarting: a restart by hand begins anew')),
    row(
      'kill, SIGKILL |',
      'kill',
      endsRestarts,
      session('lifecycle', 'kill sends the signal it is given, and KILL by default'),
    ),
    row('kill, another |', 'kill-usr2', endsRestarts),
    row('pause |', 'pause', whileRestarting),
    row('unpause |', 'unpause', whileRestarting),
    row(
      'rename, update |',
      'rename',
      ...STATES.map((state) => scene(`update when ${state}`)),
      whileRestarting,
      refusedBetween,
    ),
    row('remove |', 'rm', whileRestarting),
    row('remove, forced |', 'rm-force', endsRestarts),
    row('resize |', 'resize', refusedBetween),
    says(
      'attach |',
      session('attach', 'keeps input and its end for the run to come'),
      session('attach', 'shows everybody everything'),
      session('attach', 'is refused before the head, with its reason'),
      session('attach', 'to what has ended shows the next run'),
      refusedBetween,
    ),
    says(
      'wait, not-running |',
      matrix('wait answers at once for what does not run, with the last code'),
      matrix('${state}: a wait waits'),
      refusedBetween,
    ),
    says('top |', matrix('GET /containers/REF/top'), whileRestarting),
    says('stats, one answer |', always, whileRestarting, session('resources', 'is zeroes for what does not run')),
    row(
      'inspect, logs, changes',
      'inspect',
      ...STATES.flatMap((state) =>
        ['logs', 'changes', 'export', 'archive'].map((operation) => scene(`${operation} when ${state}`)),
      ),
      always,
      whileRestarting,
    ),
    row('exec, create |', 'exec-create', whileRestarting),
    says(
      'While it is being removed',
      engine('core/container/machine', 'container is marked for removal and cannot be started'),
      engine(
        'core/container/machine',
        "${label}, ${on.type}${under === undefined ? '' : ' with rules'} → ${to ?? refused}",
      ),
    ),
    says(
      'A dead one',
      engine('core/container/actor', 'is dead when its remains cannot be removed, and can be removed again'),
      engine(
        'core/container/machine',
        "${label}, ${on.type}${under === undefined ? '' : ' with rules'} → ${to ?? refused}",
      ),
    ),
  ],
  '2.3': [
    says(
      'A run that ends',
      engine(
        'core/container/restart-policy',
        'waits twice as long each time, up to a minute, and begins again after a run of ten seconds',
      ),
      session('restart-policies', '${always} runs again whatever the code, ever later'),
    ),
    says(
      'AutoRemove:',
      session('volumes', 'removes anonymous volumes with rm -v and --rm, named ones never, and none with plain rm'),
      session('run', '-d --rm removes the container at its end'),
    ),
    says(
      'When the engine starts',
      session('restart-policies', 'wants what was not stopped, and always what is always'),
    ),
  ],
};
