import { engine, protocol, says, scene, session, type Behaviours } from './shown.ts';

const logs = (title: string) => session('logs', title);
const copy = (title: string) => session('copy', title);
const feed = (title: string) => engine('core/events/feed', title);
const life = scene('a whole life, as events tell it');
const facts = copy('tells facts about a path in a header, and GET adds the tar');

/** Section 8, without the create. */
export const surface: Behaviours = {
  '8.1': [
    says('Neither stream', logs('must be asked for a stream'), scene('queries')),
    says('The head is', session('conventions', 'is told the head of ${target}, and the end when it goes, whole')),
    says(
      'One frame',
      scene('logs of two streams'),
      scene('logs of a terminal'),
      logs('gives long lines whole, in records of 16 KiB at most'),
      engine('api/server', 'send their head before the first item'),
    ),
    says('`timestamps`', logs('-t puts the time before each line')),
    says('Lines longer', logs('gives long lines whole, in records of 16 KiB at most'), scene('logs of long lines')),
    says(
      '`tail`',
      scene('logs of two streams'),
      protocol('codec/query', 'a negative or unreadable tail is everything'),
    ),
    says(
      '`since` and',
      logs('--since and --until cut at a time'),
      protocol('codec/query', 'times have nanoseconds'),
      protocol('codec/query', 'since=2026-01-01T00:00:00Z'),
    ),
    says(
      '`follow` ends',
      logs('-f shows what was and what comes, and ends with the container'),
      logs('-f of a container that is to run again ends with its run'),
      logs('-f ends when the container is removed'),
      engine('drivers/console/read-log', 'ends following when `until` comes'),
      session('exec-streams', 'of ${target} leave no descriptor in the engine, while the container goes on'),
    ),
  ],
  '8.2': [
    says(
      'One document',
      engine(
        'api/routes/system',
        'events flush their head, then send one line and chunk per event, until the client leaves',
      ),
    ),
    says(
      'The past is told',
      feed('gives no past without since and until'),
      feed('gives the past since a moment, then the present, and misses nothing in between'),
      feed('ends at until, in the past at once, in the future then'),
    ),
    says(
      'Container events',
      session('events', 'prints time, type, action and attributes'),
      session('stop', 'tells signal, end, network and stop, in this order'),
      life,
    ),
    says('Attributes are', life, session('events', '--since … --until tells a life from its beginning to its end')),
    says(
      'Filters:',
      feed("${JSON.stringify(filters)} ${matches ? 'matches' : 'does not match'} ${action ?? 'start'}"),
      feed('finds networks and volumes by name and by the beginning of an id'),
      session('events', 'filters by action, type and label'),
    ),
  ],
  '8.3': [
    says(
      'A stream of',
      session('resources', 'measures twice, a second apart, or once when asked for one shot'),
      engine(
        'core/container/stats',
        'without a stream it is two measurements a second apart, the second told with the CPU of the first',
      ),
      session('resources', 'streams until the container is removed'),
      life,
    ),
    says(
      'Zeroes while',
      session('resources', 'is zeroes for what does not run'),
      engine('core/container/stats', 'a stream goes on through stops, with zeroes, and ends with the container'),
    ),
    says(
      '`system_cpu_usage`',
      engine('drivers/stats/kernel-text', 'adds up what counts, idle time too, and counts CPUs'),
      session('resources', 'measures twice, a second apart, or once when asked for one shot'),
    ),
  ],
  '8.4': [
    says('The host', session('lifecycle', 'top lists the processes as the host sees them')),
    says(
      'Without a PID',
      session('bad-input', 'GET /containers/RUNNING/top?ps_args=-o%20comm'),
      session('bad-input', 'GET /containers/RUNNING/top?ps_args=--bogus'),
    ),
  ],
  '8.5': [
    says('`X-Docker-Container', facts, engine('core/container/path-stat', 'writes ${what} as ${go}')),
    says('Links are', copy('copies through links, which end at the container’s root'), facts),
    says('HEAD asks', facts),
    says('GET: a tar', facts, copy('copies files and directories out of and into a container that is ${state}')),
    says('Event `archive-path`', copy('announces what was copied'), life),
    says(
      'PUT: the destination',
      copy('says what is missing, and what is in the way'),
      copy('unpacks a tar that is compressed with ${program}'),
      copy('puts absolute names behind the directory, and refuses those that lead out'),
      copy('refuses what is no tar, and takes nothing for an empty one'),
    ),
    says('`noOverwriteDirNonDir`', copy('replaces types, unless it is told not to')),
    says('Event `extract-to-dir`', copy('announces what was copied'), life),
    says('No path', facts),
    says('Missing:', copy('says what is missing, and what is in the way')),
    says('Export:', copy('exports and compares a container that is ${state}')),
    says('Changes:', copy('shows what was changed and removed, parents first, and null for nothing')),
  ],
};
