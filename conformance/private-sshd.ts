import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_WITHIN_MS = 30_000;

/** An sshd on a port of its own, for one key, and what a client needs to log in there. Disposing ends it. */
export class PrivateSshd implements AsyncDisposable {
  readonly port: number;
  /** For `ssh -F`: key, known host, and nothing of the person who runs the tests. */
  readonly clientConfig: string;
  readonly user: string = userInfo().username;
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(child: ChildProcess, at: { port: number; clientConfig: string; log: string }) {
    this.#child = child;
    this.port = at.port;
    this.clientConfig = at.clientConfig;
    this.#log = at.log;
  }

  /** @param environment what programs over there find in theirs */
  static async start(directory: string, environment: Readonly<Record<string, string>> = {}): Promise<PrivateSshd> {
    mkdirSync(directory, { recursive: true });
    const port = await freePort();
    const [config, log, clientConfig] = ['sshd_config', 'log', 'ssh_config'].map((name) => join(directory, name));
    const [hostKey, key, known] = ['host_key', 'key', 'known_hosts'].map((name) => join(directory, name));
    for (const path of [hostKey, key])
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path as string]);
    const publicHostKey = readFileSync(`${hostKey}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
    writeFileSync(known as string, `[127.0.0.1]:${port} ${publicHostKey}\n`);
    const set = Object.entries(environment).map(([name, value]) => `"${name}=${value}"`);
    const lines = [
      ...[
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${hostKey}`,
        `AuthorizedKeysFile ${key}.pub`,
        'PidFile none',
      ],
      ...[
        'UsePAM no',
        'StrictModes no',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        'LogLevel VERBOSE',
      ],
      ...(set.length === 0 ? [] : [`SetEnv ${set.join(' ')}`]),
    ];
    writeFileSync(config as string, `${lines.join('\n')}\n`);
    const client = [
      `IdentityFile ${key}`,
      'IdentitiesOnly yes',
      `UserKnownHostsFile ${known}`,
      'StrictHostKeyChecking yes',
    ];
    writeFileSync(clientConfig as string, `${[...client, 'BatchMode yes', 'LogLevel ERROR'].join('\n')}\n`);
    mkdirSync('/run/sshd', { recursive: true });
    const child = spawn('/usr/sbin/sshd', ['-D', '-f', config as string, '-E', log as string], { stdio: 'ignore' });
    const started = new PrivateSshd(child, { port, clientConfig: clientConfig as string, log: log as string });
    const until = performance.now() + START_WITHIN_MS;
    while (!(await accepts(port))) {
      if (child.exitCode !== null || performance.now() > until)
        throw new Error(`sshd does not come up: ${started.log()}`);
      await sleep(20);
    }
    return started;
  }

  log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  /** How often somebody has logged in so far. */
  logins(): number {
    return this.log().split('Accepted publickey').length - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}

/** A port of the loopback device that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    // It does not listen yet.
    return false;
  } finally {
    socket.destroy();
  }
}
