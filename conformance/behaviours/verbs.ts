import { aside, engine, protocol, says, scene, session, type Behaviours } from './shown.ts';

const stop = (title: string) => session('stop', title);
const policies = (title: string) => session('restart-policies', title);
const MEANWHILE = stop('meanwhile ${what}');
const ends = 'one that ignores it is killed when -t is over';
const heeds = 'a container that exits on SIGTERM is not killed';
const outliving = engine(
  'core/container/actor',
  'fails a stop whose process outlives SIGKILL, and leaves the container running',
);

/** Section 3. */
export const verbs: Behaviours = {
  '3.1': [
    says(
      '`t` absent',
      stop('--stop-timeout is the grace without -t'),
      stop(heeds),
      protocol('codec/query', 'an empty t is absent'),
    ),
    says('0: the signal', stop('-t 0 kills at once')),
    says('Negative:', stop('with a negative grace waits without end')),
    says(
      '`signal` holds',
      session('conventions', 'before 1.42 a stop has no signal, since then it has'),
      stop('--stop-signal is what is sent'),
      stop('STOPSIGNAL of the image is what is sent'),
      stop('of one that has stopped is good, and changes nothing'),
      stop('says which container does not exist'),
      outliving,
    ),
  ],
  '3.2': [
    says('Not running:', stop('of one that has stopped is good, and changes nothing')),
    says('The signal goes', stop(heeds)),
    says(
      'Wait for the exit',
      stop(ends),
      engine('core/container/actor', 'kills once the grace is over, not a millisecond before'),
    ),
    says('Not gone:', stop(ends), outliving),
    says(
      'Fairlead says',
      outliving,
      engine('core/system/info', 'says what this host cannot do, and how long a kill may take'),
    ),
    says('Event `stop`', stop(heeds), stop('tells signal, end, network and stop, in this order')),
    says(
      'By then',
      engine('core/container/actor', 'saves what it owes, signals, notes that it did, cleans up, then tells who waits'),
    ),
    says('Whoever inspects', stop(ends)),
    says('A failed stop', outliving),
  ],
  '3.3': [
    says('The stop goes on', stop('goes on to its end when the client has hung up')),
    says(
      'So do kill',
      stop('a restart goes on to its end, too'),
      session('conventions', 'has ${target} done, also when it is gone altogether'),
    ),
    says('With a negative', stop('waits on without end when its client is gone')),
  ],
  '3.4': [
    says('Stops do not lock', stop('leaves inspect, exec and a second start as they were while it waits'), MEANWHILE),
    says(
      'another stop',
      stop('of two at the same time, the shorter grace wins, and both are answered'),
      stop('another stop ends it, and both are told'),
    ),
    says('kill |', stop('a kill ends it')),
    says('forced removal', stop('a forced removal ends it')),
    says('start |', stop('leaves inspect, exec and a second start as they were while it waits')),
    says('restart |', stop('a restart ends with a run')),
    says('pause |', stop('a pause holds it, and SIGKILL thaws')),
  ],
  '3.5': [
    says(
      'Used by',
      stop(heeds),
      stop('comes before the end of what is removed by force, or removes itself'),
      stop('a restart ends with a run'),
    ),
    aside('Before the signal', 'it introduces a list'),
    says('not running:', scene('kill when exited'), scene('kill-usr2 when created')),
    says(
      'if the container has no',
      policies('is out of force after any signal to a container without a stop signal of its own'),
      policies("${always} ${restarts ? 'stays in' : 'is out of'} force after a signal that is not the stop signal"),
      stop('of a paused container thaws it, so that it can end by itself'),
      stop('with another signal than the stop signal leaves a paused container paused'),
    ),
    says(
      'it counts as stopped',
      policies("${always} ${restarts ? 'stays in' : 'is out of'} force after a signal that is not the stop signal"),
    ),
    says(
      'while it is between',
      stop('of one between two starts is immediate'),
      session('state-matrix', 'restarting: ${target} ends it at once'),
    ),
    says('only the first', stop('reaches the first process and no exec, which ends with it')),
    says('event `kill`', stop(ends), scene('a whole life, as events tell it')),
    says('A first process', stop('with what a first process has no handler for changes nothing')),
  ],
  '3.6': [
    says(
      'it exits, or is killed',
      policies('on-failure:2 is three runs'),
      policies('on-failure leaves what succeeds'),
      policies('${always} runs again whatever the code, ever later'),
      policies('is in force when the process is killed from the host'),
    ),
    says('stop, kill', policies('is out of force after docker ${verb}, and in force again after a start')),
    says(
      'crash after',
      policies('counts anew after docker restart'),
      engine(
        'core/container/restart-policy',
        "${expected ? 'restarts' : 'leaves'} ${policy.name}:${policy.maximumRetryCount} after ${cause}",
      ),
    ),
    says('A start by hand', policies('is out of force after docker ${verb}, and in force again after a start')),
    says(
      'Refused with 400',
      scene('create with a restart policy nobody knows'),
      scene('create with a retry count without on-failure'),
      scene('create with a negative retry count'),
      scene('create with auto-remove and restarts'),
    ),
  ],
  '3.7': [
    says('204, or 304', scene('start when created'), scene('start when running')),
    says(
      'What cannot be started',
      scene('a start that fails: nosuch'),
      scene('a start that fails: no path'),
      scene('a start that fails: directory'),
      scene('a user nobody knows'),
    ),
    says('No `start`', scene('a start that fails, and its events')),
    says(
      'An AutoRemove',
      engine('core/container/actor', 'is gone before the caller hears of a failed start when it removes itself'),
      session('run', '--rm has removed the container when ${command} has ended'),
    ),
    says(
      'What cannot be specified',
      scene('a user nobody knows'),
      scene('the effect of processes of a container that is not there'),
    ),
    aside('Output may', 'it is allowed, not promised'),
  ],
  '3.8': [
    says(
      'If it runs',
      session('lifecycle', 'restart keeps a container that removes itself'),
      session('lifecycle', 'restart gives another process, and keeps the files'),
      session('lifecycle', 'restart starts what has ended, and -t is its grace'),
    ),
    says(
      'Events `kill',
      scene('a whole life, as events tell it'),
      scene('a restart of what never ran, and its events'),
    ),
    says('A failure is', scene('a restart that fails, and its events')),
  ],
  '3.9': [
    says('No `signal`', session('lifecycle', 'kill sends the signal it is given, and KILL by default')),
    says('Names in any case', protocol('signals', 'reads ${text} as ${number}')),
    says(
      '`400 invalid signal',
      session('lifecycle', 'invalid signal: BOGUS'),
      session('bad-input', 'POST /containers/RUNNING/kill?signal=65'),
      scene('queries'),
    ),
  ],
  '3.10': [
    says('stop in time', stop('tells signal, end, network and stop, in this order'), stop(heeds)),
    says('stop out of time', stop(ends), MEANWHILE),
    says(
      'kill:',
      stop('of a paused container ends it, without a word of thawing'),
      scene('a whole life, as events tell it'),
    ),
    says('Removal by force', stop('comes before the end of what is removed by force, or removes itself')),
    says('AutoRemove:', stop('comes before the end of what is removed by force, or removes itself')),
    says('running execs', stop('reaches the first process and no exec, which ends with it')),
  ],
  '3.11': [
    says('204.', scene('rm when exited')),
    says(
      '`force` kills',
      scene('rm-force when running'),
      session('lifecycle', 'rm refuses what runs; -f kills it first'),
    ),
    says(
      '`v` takes',
      session('volumes', 'removes anonymous volumes with rm -v and --rm, named ones never, and none with plain rm'),
    ),
    says('Unknown is 404', scene('names nobody has')),
    says(
      'Whoever waits',
      session('state-matrix', 'wait for the next exit does not see the last one; the removal ends it'),
    ),
    says(
      '`DELETE /containers/<parent>',
      session('links', 'rm --link takes the link away and leaves both containers'),
      scene('names nobody has'),
    ),
  ],
  '3.12': [
    says(
      'Pause and unpause',
      session('lifecycle', 'pause holds the processes, unpause lets them go on'),
      scene('a whole life, as events tell it'),
    ),
    says('Rename:', scene('queries'), session('events', 'tells pauses and names')),
    says(
      'Update:',
      session('resources', 'changes limits while the container runs, and for its next run'),
      session('resources', 'tells every change, and nothing that was refused'),
      session('resources', 'refuses ${JSON.stringify(json)}'),
      session('resources', 'gives a container that removes itself no restart policy'),
      engine('core/container/update', 'stores nothing of what the kernel refuses'),
      scene('update when running'),
    ),
  ],
};
