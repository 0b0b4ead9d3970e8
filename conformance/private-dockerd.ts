import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineProgram } from './engine-process.ts';
import type { PrivateHome } from './private-home.ts';

/**
 * A dockerd that shares nothing with the machine's: own root, own socket, own containerd, no bridge, no packet filter. Its
 * containers have no network.
 */
export function dockerdProgram({ directory, root, socketPath, host }: PrivateHome): EngineProgram {
  const [config, exec, pid] = [
    join(directory, 'dockerd.json'),
    join(directory, 'exec'),
    join(directory, 'dockerd.pid'),
  ];
  writeFileSync(config, '{}');
  const files = ['--config-file', config, '--data-root', root, '--exec-root', exec, '--pidfile', pid];
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false'];
  return {
    program: 'dockerd',
    args: ['--host', host, '--storage-driver=overlay2', '--log-level=warn', ...files, ...network],
    socketPath,
    logPath: join(directory, 'log'),
  };
}
