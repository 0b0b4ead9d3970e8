import { aside, engine, protocol, says, scene, session, type Behaviours } from './shown.ts';

const server = (title: string) => engine('api/server', title);
const router = (title: string) => engine('api/router', title);
const query = (title: string) => protocol('codec/query', title);

const older = engine('api/routes/older-create', "takes ${path.join('.')} as it is since ${from}");

/** Section 1. */
export const conventions: Behaviours = {
  '1.1': [
    says('Every route exists', router('/v1.44/containers/json?all=1'), router('/containers/json')),
    says('Without, the engine', session('conventions', 'a path without a version is of the newest')),
    says(
      'An unknown path',
      server('an unknown path'),
      server('a known path with another method'),
      scene('paths nobody serves'),
    ),
    says('These carry none', server('an unknown path')),
    says('`OPTIONS`', server('are none for OPTIONS and for plugins')),
    says('Paths are cleaned', router('/containers//web/json'), router('/v1.44//containers/json')),
    says('Docker redirects', router('/containers/%2Fweb/json')),
    says('Names of images', router('/images/docker.io/library/busybox:1/json')),
    says('Percent-decoding', router('/images/docker.io%2Flibrary%2Fbusybox/json'), router('/containers/a%20b/json')),
    says('The version is checked', server('a version that is too new'), server('an unknown path under a bad version')),
    says(
      'Too new:',
      server('a version that is too new'),
      server('of a version come without Docker-Experimental'),
      protocol('version', 'are refused with Docker’s words when they are too new or too old'),
      session('bad-input', 'a version that is too old is refused in plain text'),
    ),
  ],
  '1.2': [
    says(
      '`Api-Version`',
      server('carry the engine’s headers, in Docker’s order'),
      server('of a version come without Docker-Experimental'),
    ),
    says('JSON is', server('in JSON end with a line and have exactly Docker’s content type')),
    says('A JSON body', server('in JSON end with a line and have exactly Docker’s content type')),
  ],
  '1.3': [
    says(
      '`GET` and `HEAD`',
      engine('api/routes/system', 'ping tells clients what they negotiate by'),
      scene('what the engine tells of itself'),
    ),
    says('The CLI sends HEAD', session('cli-requests', "docker ${command.join(' ')}")),
    says(
      'It then speaks',
      protocol('version', 'are settled on the older of both sides; an engine that says nothing speaks 1.24'),
    ),
  ],
  '1.4': [
    says(
      '`ApiVersion`',
      engine('core/system/info', 'has what clients negotiate by, and only text in the details'),
      session('images', 'version names client and server'),
      scene('what the engine tells of itself'),
    ),
  ],
  '1.5': [
    says(
      'A false capability',
      engine('core/system/info', 'says what this host cannot do, and how long a kill may take'),
    ),
    says(
      '`Swarm` and',
      engine('core/system/info', 'has objects where the docker CLI dereferences'),
      scene('what the engine tells of itself'),
    ),
  ],
  '1.6': [
    says(
      '`{"message"',
      server('of 204 and 304 have neither body nor length'),
      server('of HEAD have headers and no body'),
    ),
    says('invalid argument', protocol('errors', '${kind} is ${status}')),
    says(
      'unauthorized',
      protocol('errors', '${kind} is ${status}'),
      server('of 204 and 304 have neither body nor length'),
    ),
    says('forbidden', protocol('errors', '${kind} is ${status}'), server('a swarm’s')),
    says('not found', protocol('errors', '${kind} is ${status}'), server('what Docker has and this engine has not')),
    says('anything else', server('a bug')),
    says('The first classified', server('the first EngineError among the causes')),
    says(
      'A number, a filter',
      session('bad-input', 'GET /containers/json?limit=abc'),
      session('bad-input', 'GET /containers/json?filters=%7Bbad'),
      session('bad-input', 'invalid JSON: unexpected EOF'),
    ),
    says(
      'Swarm',
      engine('api/not-served', 'every swarm endpoint says that this is no swarm manager'),
      server('are none for OPTIONS and for plugins'),
    ),
  ],
  '1.7': [
    says(
      'In this order',
      engine('core/container/directory', 'finds ${ref.slice(0, 8)}'),
      session('lifecycle', 'finds a container by id, by the beginning of one, and by name'),
    ),
    says('A name that equals', engine('core/container/directory', 'ac1')),
    says('Names have no prefixes', engine('core/container/directory', 'WEB'), engine('core/container/directory', 'we')),
    says('none:', scene('names nobody has'), session('bad-input', 'an id that is the beginning of several')),
    says('a name is', session('bad-input', 'POST /containers/create?name=../x'), scene('bodies')),
    says('taken:', session('run', 'refuses a name that is taken'), scene('bodies')),
    says(
      'without a name',
      engine('core/container/directory', 'goes on until a name is free'),
      session('run', 'keeps the two streams apart and ends with the code'),
    ),
  ],
  '1.8': [
    says('**Truth**', query('a boolean is false for five words only'), scene('queries')),
    says('A key without a value', query('a key without a value is false')),
    says('**Filters**', protocol('filters', "reads ${text || 'nothing'}"), scene('queries')),
    says(
      'Values of one key',
      engine(
        'core/events/feed',
        "${JSON.stringify(filters)} ${matches ? 'matches' : 'does not match'} ${action ?? 'start'}",
      ),
      session(
        'lifecycle',
        'ps lists what runs, -a everything, and filters by name, status, label, exit code and image',
      ),
    ),
    says('Nothing, `null`', protocol('filters', "reads ${text || 'nothing'}"), scene('queries')),
    says('Unknown key', protocol('filters', 'refuses a key that is not known'), scene('queries')),
    says(
      '**JSON**',
      protocol('codec/go-json', 'matches keys without case, at every depth, and the last spelling wins'),
      protocol('codec/go-json', 'ignores unknown fields and takes null as absent'),
      scene('create with keys in lower case'),
      scene('create with unknown keys'),
    ),
    says(
      'What follows',
      session('bad-input', 'what comes after the JSON'),
      engine('api/server-input', 'two documents'),
    ),
    says(
      '**Media type**',
      engine('api/server-input', 'JSON with a charset'),
      engine('api/server-input', 'text'),
      engine('api/server-input', 'no type'),
      engine('api/server-input', 'nothing at all'),
      scene('bodies'),
    ),
    says('`POST …/start`', scene('bodies'), session('bad-input', '{"Binds": []}')),
    says('**Integers**', query('a plus sign is allowed'), query('refuses ${query}')),
  ],
  '1.9': [
    says(
      '1.25',
      session(
        'conventions',
        'before 1.25 the client removes containers, before 1.40 their shared memory can be joined',
      ),
    ),
    says('1.30', session('conventions', 'before 1.30 a wait has no conditions, and its head comes with its answer')),
    says(
      '1.40',
      session('conventions', 'before 1.40 an update says nothing of processes'),
      session(
        'conventions',
        'before 1.25 the client removes containers, before 1.40 their shared memory can be joined',
      ),
    ),
    says(
      '1.41',
      scene('create of an image of another platform'),
      session('resources', 'measures twice, a second apart, or once when asked for one shot'),
    ),
    says(
      '1.42',
      older,
      session('attach-web-socket', 'shows the streams that were asked for since 1.42, all before'),
      session('conventions', 'before 1.42 a stop has no signal, since then it has'),
      session('conventions', 'since 1.42 logs say whether they are framed'),
      engine('api/upgrade', 'exec, upgraded, before 1.42'),
      query('ignores a parameter that the version does not know yet, even a broken one'),
      engine('core/volume/volumes', 'takes named ones when told so, by either side, but not what mounts something'),
    ),
    says('1.43', older, engine('api/routes/images', 'gives older clients what they read')),
    says(
      '1.44',
      older,
      engine('api/routes/images', 'gives older clients what they read'),
      engine('api/routes/images', 'loads, lists, shows, tags and removes'),
    ),
  ],
  '1.10': [
    says(
      'Clients keep',
      server('come over one connection, request after request'),
      server('of hijack endpoints that answer with HTTP give the connection back'),
    ),
    says(
      'A client that closes',
      session('conventions', 'is told the head of ${target}, and the end when it goes, whole'),
      session('stop', 'answers a client that has only half-closed'),
    ),
    says('On a hijacked', engine('api/upgrade', 'ends the input, and output goes on until the process ends')),
    aside('No request has', 'nothing ends in the time that a test has; none is set'),
  ],
};
