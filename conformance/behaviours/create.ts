import { engine, protocol, says, scene, session, type Behaviours, type Proof } from './shown.ts';

const made = (...names: readonly string[]): readonly Proof[] => names.map((name) => scene(`create with ${name}`));
const effect = (...names: readonly string[]): readonly Proof[] => names.map((name) => scene(`the effect of ${name}`));

/** Section 8.6: what a create is asked for. */
export const creation: Behaviours = {
  '8.6': [
    says('`201', ...made('plain')),
    says('Fields of Config', ...made('labels', 'memory', 'keys in lower case')),
    says('No body', scene('bodies')),
    says('No command', ...made('no command', 'an entrypoint that resets')),
    says(
      'A field that',
      engine('core/spec/validate-create', 'says that ${JSON.stringify(parts)} is not implemented'),
      engine('core/spec/validate-create', 'warns about ${JSON.stringify(parts)}'),
    ),
    says(
      'Inspect repeats',
      ...made('plain', 'terminal', 'memory and swap'),
      protocol('models/create-container-body', "shows inspect Docker's null or empty"),
    ),
    says(
      'While nothing runs',
      ...made('plain'),
      session('networks', 'inspect shows subnet, gateway and containers with their addresses'),
      scene('inspect when exited'),
    ),
    says(
      '`platform`',
      scene('create of an image of another platform'),
      engine('core/image/platform', 'refuses another system and another architecture'),
    ),
    says(
      'Entrypoint `null`',
      ...made('an entrypoint', 'an empty entrypoint'),
      engine('core/spec/merge-image-config', "[] as Entrypoint: none, and the image's Cmd"),
      engine('core/spec/merge-image-config', "Entrypoint given: the image's Cmd is void"),
    ),
    says(
      'An environment variable',
      engine(
        'core/spec/merge-image-config',
        'lets variables of the client win by name, and take away those of the image',
      ),
      ...effect('environment'),
    ),
    says(
      'A source directory',
      session('run', '-v shares a directory of the host, read-only with :ro, and makes it when it is not there'),
      ...made('a bind mount of nothing'),
    ),
    says(
      'A working directory',
      scene('a working directory before the first run'),
      session('run', 'makes a -w that is not there'),
    ),
    says(
      'Image |',
      ...made('plain'),
      scene('bodies'),
      session(
        'images',
        'rmi refuses an image that a container uses; -f deletes it under a stopped one, which still starts',
      ),
    ),
    says('Cmd, Entrypoint |', ...made('a command as text', 'an entrypoint as text')),
    says(
      'Env |',
      ...made('environment', 'a bad environment', 'an empty environment entry'),
      ...effect('environment', 'the environment of a terminal'),
    ),
    says('User |', ...effect('a user by name', 'a group nobody knows'), scene('a user nobody knows')),
    says(
      'WorkingDir |',
      ...made('a working directory', 'a relative working directory'),
      ...effect('a working directory that is not there'),
    ),
    says(
      'Tty, OpenStdin',
      ...made('terminal'),
      session('attach', 'ends at a half-close to a terminal, and the container goes on'),
    ),
    says(
      'Labels, ExposedPorts |',
      ...made('labels'),
      engine('core/spec/merge-image-config', 'merges labels, ports and volumes, and fills up single values'),
    ),
    says(
      'Volumes |',
      session('volumes', 'removes anonymous volumes with rm -v and --rm, named ones never, and none with plain rm'),
    ),
    says('Hostname', ...made('a host name'), ...effect('names')),
    says('StopSignal', ...made('a stop signal', 'a bad stop signal', 'a stop timeout', 'a negative stop timeout')),
    says(
      'Healthcheck |',
      session('health', 'comes with the image and can be turned off'),
      session('health', 'remembers five probes and four kilobytes of each'),
      engine('core/spec/merge-image-config', 'fills a health check up field by field'),
    ),
    says(
      'MacAddress |',
      ...effect('an address of the interface'),
      session('networks', 'an interface has the address that was asked for'),
    ),
    says(
      'Binds |',
      ...made('a bind', 'a malformed bind', 'a bind with a bad mode', 'the same place twice'),
      session('run', '-v shares a directory of the host, read-only with :ro, and makes it when it is not there'),
      session('volumes', 'keeps what containers write into it'),
    ),
    says(
      'Mounts |',
      ...made(
        'a bind mount',
        'a bind mount of nothing',
        'a mount without a target',
        'a mount of no type',
        'a tmpfs mount',
      ),
    ),
    says('Tmpfs |', ...made('tmpfs'), ...effect('a tmpfs')),
    says(
      'NetworkMode |',
      ...effect('the network of a container that is not there', 'a network that is not there'),
      session('shared-namespaces', '--network container: has its interfaces, names and addresses'),
      session('networks', 'inspect shows who is there, by the endpoint that the container shows'),
    ),
    says(
      'PortBindings',
      session('ports', '-p without a port of the host, and -P for what is exposed, take free ones'),
      session('ports', 'a port that another container has fails the start, and the container stays as it was'),
    ),
    says('RestartPolicy, AutoRemove |', ...made('a restart policy', 'auto-remove and restarts')),
    says(
      'LogConfig |',
      ...made(
        'a log size',
        'a log option nobody knows',
        'a log driver nobody has',
        'a local log',
        'a log of which nothing is kept',
      ),
      session('logs', '--details says what the log options ask for'),
    ),
    says(
      'Memory, MemorySwap',
      ...made(
        'memory',
        'too little memory',
        'memory and swap',
        'swap below memory',
        'swap without memory',
        'a reservation above memory',
        'swappiness',
        'a swappiness that cannot be',
      ),
      ...effect('shares and memory'),
    ),
    says(
      'NanoCpus',
      ...made(
        'nano cpus',
        'too many cpus',
        'nano cpus and a quota',
        'a quota',
        'a cpu set',
        'a cpu set that is not there',
        'shares',
      ),
    ),
    says('PidsLimit |', ...made('a pids limit', 'a pids limit of 0', 'a pids limit of -1')),
    says('Ulimits |', ...made('an ulimit'), ...effect('limits')),
    says('ShmSize |', ...made('plain', 'shared memory', 'negative shared memory'), ...effect('shared memory')),
    says(
      'CapAdd',
      ...made('capabilities', 'all capabilities', 'a capability nobody knows'),
      ...effect('chosen capabilities', 'no capabilities but one'),
    ),
    says(
      'Privileged',
      ...made('privileged', 'a read-only root', 'no new privileges', 'no seccomp', 'a security option nobody knows'),
      ...effect('a read-only root', 'masked paths', 'read-only paths', 'capabilities and filters'),
    ),
    says('Init |', ...made('init'), session('run', '--init puts an init before the program, which reaps and forwards')),
    says('ExtraHosts', ...made('extra hosts', 'malformed extra hosts', 'name servers'), ...effect('names')),
    says('Devices', ...effect('a device', 'a device that is not there', 'a device of a driver nobody has')),
    says(
      'GroupAdd',
      ...made('supplementary groups', 'oom score', 'an oom score that cannot be', 'sysctls'),
      ...effect('added groups', 'an oom score', 'sysctls', 'a cgroup parent'),
    ),
    says(
      'PidMode',
      ...made('the host’s pids', 'the host’s ipc', 'the host’s names'),
      ...effect('host name and the host’s names', 'a cgroup namespace', 'no shared memory'),
      session('shared-namespaces', '--pid container: sees its processes, and ends with it'),
    ),
    says(
      'VolumesFrom',
      session('volumes', 'gives another container the same by --volumes-from, read-only when asked'),
      session('links', 'tells the other’s address by its alias, name and host name, and in the environment'),
    ),
    says('Runtime |', ...made('a runtime nobody has')),
    says(
      'BlkioWeight',
      ...effect(
        'a weight of block I/O that cannot be',
        'limits of single devices',
        'a device to limit that is not there',
      ),
    ),
    says(
      'An endpoint',
      protocol('models/create-container-body', 'passes on a null endpoint, which the engine refuses'),
      ...made('an endpoint that is null'),
    ),
  ],
};
