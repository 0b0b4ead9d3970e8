import { engine, says, scene, session, type Behaviours } from './shown.ts';

const matrix = (title: string) => session('state-matrix', title);

/** Section 4. */
export const wait: Behaviours = {
  '4': [
    says(
      '`not-running`',
      session('bad-input', 'a wait for a condition that does not exist'),
      matrix('wait for the next exit does not see the last one; the removal ends it'),
    ),
    says(
      'The waiter is',
      session('lifecycle', 'wait answers its head at once, and its body at the end'),
      session('run', 'keeps the two streams apart and ends with the code'),
    ),
    says('The body is', scene('waits'), scene('a start that fails: nosuch')),
    says(
      'Before 1.30',
      session('conventions', 'before 1.30 a wait has no conditions, and its head comes with its answer'),
    ),
    says('created or exited, not-running', matrix('wait answers at once for what does not run, with the last code')),
    says(
      'created or exited, next-exit',
      matrix('a wait for the next exit is told that of the run to come, and 0 of what is removed before'),
    ),
    says(
      'removed |',
      matrix('wait for the next exit does not see the last one; the removal ends it'),
      session('run', '-d --rm removes the container at its end'),
    ),
    says('running → restarting', matrix('a run that is followed by another has ended for whoever waits')),
    says('the last start failed', scene('a start that fails: nosuch'), scene('a second start that fails')),
    says('a start fails meanwhile', matrix('a wait for the next exit outlives a start that fails, until the removal')),
    says(
      'AutoRemove, a start fails',
      engine('core/container/actor', 'is gone before the caller hears of a failed start when it removes itself'),
      session('run', '--rm has removed the container when ${command} has ended'),
      session('run', 'ends with 127 and the reason when there is no such program'),
    ),
    says(
      'the caller leaves',
      session('conventions', 'is told the head of ${target}, and the end when it goes, whole'),
      session('exec-streams', 'of ${target} leave no descriptor in the engine, while the container goes on'),
    ),
    says(
      'Order at an exit',
      engine('core/container/actor', 'saves what it owes, signals, notes that it did, cleans up, then tells who waits'),
      session('run', 'keeps the two streams apart and ends with the code'),
    ),
    says(
      'AutoRemove: then',
      engine('core/container/actor', 'removes an AutoRemove container after those who wait for its exit were told'),
    ),
  ],
};
