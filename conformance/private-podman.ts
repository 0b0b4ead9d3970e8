import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineProgram } from './engine-process.ts';
import type { PrivateHome } from './private-home.ts';

/**
 * Podman's service for clients of Docker, that shares nothing with the machine's podman: own storage, own records, own settings.
 *
 * Ask for containers with `NetworkMode: 'none'`: its networks would change the machine's packet filter, so that their plugins are hidden
 * from it and a start in a network fails. A container that exits within a quarter of a second is missed by a wait for its next exit.
 *
 * @param insecureRegistries as `127.0.0.1:PORT`: podman speaks plain HTTP to none that is not named at its start.
 */
export function podmanProgram(home: PrivateHome, insecureRegistries: readonly string[]): EngineProgram {
  const { directory, socketPath, host } = home;
  const settings = join(directory, 'settings');
  const plugins = join(directory, 'no-plugins');
  for (const made of [settings, plugins]) mkdirSync(made);
  const write = (name: string, text: string): string => {
    const path = join(settings, name);
    writeFileSync(path, text);
    return path;
  };
  return {
    program: 'podman',
    args: ['--log-level=warn', 'system', 'service', '--time=0', host],
    socketPath,
    logPath: join(directory, 'log'),
    env: {
      TMPDIR: directory,
      CONTAINERS_CONF: write('containers.conf', containersConf(directory)),
      CONTAINERS_STORAGE_CONF: write('storage.conf', storageConf(home)),
      CONTAINERS_REGISTRIES_CONF: write('registries.conf', registriesConf(insecureRegistries)),
    },
  };
}

/** runc, because crun refuses hosts that mix the two versions of cgroups; limits that every host allows. */
function containersConf(directory: string): string {
  return `[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
events_logfile_path = "${directory}/events"
static_dir = "${directory}/static"
tmp_dir = "${directory}/tmp"
volume_path = "${directory}/volumes"
exit_command_delay = 1
[network]
network_config_dir = "${directory}/networks"
cni_plugin_dirs = ["${directory}/no-plugins"]
`;
}

function storageConf({ directory, root }: PrivateHome): string {
  return `[storage]
driver = "overlay"
graphroot = "${root}"
runroot = "${directory}/run"
`;
}

function registriesConf(insecure: readonly string[]): string {
  const rows = insecure.map((location) => `[[registry]]\nlocation = "${location}"\ninsecure = true\n`);
  return `unqualified-search-registries = ["docker.io"]\n${rows.join('')}`;
}
