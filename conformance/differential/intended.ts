/** A difference that is meant, with its reason. */
export interface IntendedDifference {
  /** Where: `status`, `content-type`, or a path in the body. */
  readonly at: RegExp;
  /** In which requests; absent: in all. */
  readonly target?: RegExp;
  readonly because: string;
}

const EMPTY =
  'a list that the client left out is told as the empty one the docker CLI sends, so that clients can walk it';
const NEWER = 'Docker 28 tells it so; 20.10, which can be run here, is older';

/** Every difference that is meant. What is not here is a bug of ours, or of the list. */
export const INTENDED: readonly IntendedDifference[] = [
  { at: /^body\.(LogPath|ResolvConfPath|HostnamePath|HostsPath)$/, because: 'files are in another directory' },
  { at: /^body\.(Driver|GraphDriver)(\.|$)/, because: 'the storage driver is told by another name and its own paths' },
  {
    at: /^body\.(AppArmorProfile|MountLabel|ProcessLabel)$/,
    because: 'security modules are named only where they are used',
  },
  { at: /^body\.HostConfig\.(PortBindings|Blkio\w+|Devices|Dns\w*|Ulimits)$/, because: EMPTY },
  { at: /^body\.HostConfig\.Runtime$/, because: 'crun is the default runtime' },
  { at: /^body\.HostConfig\.KernelMemory(TCP)?$/, because: `${NEWER}: kernel memory limits are gone` },
  { at: /^body\.HostConfig\.RestartPolicy\.Name$/, because: `${NEWER}: an empty policy is stored as "no"` },
  { at: /^body\.HostConfig\.MaskedPaths\.\d+$/, because: `${NEWER}: two more paths are masked` },
  { at: /\.Networks\.\w+\.DNSNames$/, because: `${NEWER} since API 1.44` },
  {
    at: /^body\.NetworkSettings\.Sandbox(ID|Key)$/,
    because: 'the network namespace belongs to the container’s process, not to a file',
  },
  {
    at: /\.Networks\.none\.(NetworkID|EndpointID)$/,
    because: 'no network means that nothing is made which could have an id',
  },
  {
    at: /^body\.ExitCode$/,
    target: /^GET \/exec\//,
    because: `${NEWER}: 127, 126 or 128 after a failed start, where 20.10 always says 126`,
  },
  { at: /^body\.ContainerConfig(\.|$)/, because: `${NEWER}: it repeats Config where 20.10 tells of the build` },
  { at: /^body\.Metadata\.LastTagTime$/, because: 'a load gives a tag, and so a time' },
  { at: /\.RepoDigests$/, because: `${NEWER}: an empty list` },
  {
    at: /^status$/,
    target: /^POST \/(containers\/create|images\/\w+\/tag)/,
    because: 'a parameter that makes no sense is the caller’s fault: 400 in 28, where 20.10 says 500',
  },
  { at: /\.Attributes\.execDuration$/, because: NEWER },
  {
    at: /^body\.(DriverStatus|Runtimes)\./,
    target: /^GET \/info$/,
    because: 'the storage driver and the runtimes are others',
  },
  {
    at: /^body\.RegistryConfig\.(InsecureRegistryCIDRs\.0|IndexConfigs\.docker\.io)$/,
    target: /^GET \/info$/,
    because: 'registries are not spoken with',
  },
  { at: /^body\.KernelMemory(TCP)?$/, target: /^GET \/info$/, because: `${NEWER}: kernel memory limits are gone` },
  { at: /^body\.Warnings$/, target: /^GET \/info$/, because: EMPTY },
  { at: /^body\.KillConfirmMs$/, target: /^GET \/info$/, because: 'ours: how long a kill may take' },
  { at: /^content-type$/, target: /logs\?/, because: '20.10 sends no media type for logs; 28 does' },
];
