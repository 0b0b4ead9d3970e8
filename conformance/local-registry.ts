import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningCommand } from './running-command.ts';

/** Who may use a registry that asks for a login. */
export const REGISTRY_LOGIN: { readonly username: string; readonly password: string } = {
  username: 'tester',
  password: 'a:pass word/ü',
};
/** The same as a line of an htpasswd file: bcrypt, cost 4, for a registry checks it at each request. */
const REGISTRY_PASSWORD_HASH = '$2b$04$0tcP1KuDJy6GM8/F5.DMiuG/TJRFZYF5oQHctgM4D73WIq6fdCvJC';

/** How long a registry may take to listen. Measured: 50 ms. */
const LISTEN_WITHIN_MS = 30_000;

/** A registry of one's own, empty, on a port of the loopback device, over plain HTTP. Disposing ends it and removes what it kept. */
export class LocalRegistry implements AsyncDisposable {
  /** As it stands in front of a name: `127.0.0.1:PORT`. */
  readonly address: string;
  readonly #held: AsyncDisposableStack;

  private constructor(address: string, held: AsyncDisposableStack) {
    this.address = address;
    this.#held = held;
  }

  /** `login`: it refuses whoever is not `REGISTRY_LOGIN`. @throws Error with its words when it does not listen. */
  static async start(options: { readonly login?: boolean } = {}): Promise<LocalRegistry> {
    await using undo = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'cr-'));
    undo.defer(() => rm(directory, { recursive: true, force: true }));
    const passwords = join(directory, 'htpasswd');
    if (options.login === true) writeFileSync(passwords, `${REGISTRY_LOGIN.username}:${REGISTRY_PASSWORD_HASH}\n`);
    const config = join(directory, 'config.yml');
    writeFileSync(config, settings(directory, options.login === true ? passwords : undefined));
    const env = { PATH: process.env['PATH'] ?? '', HOME: directory };
    const registry = undo.use(new RunningCommand({ program: 'docker-registry', args: ['serve', config], env }));
    // The first port that is free: it tells which.
    const said = await registry.says(/listening on (127\.0\.0\.1:\d+)/, {
      stream: 'stderr',
      withinMs: LISTEN_WITHIN_MS,
    });
    return new LocalRegistry(said[1] ?? '', undo.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }
}

function settings(directory: string, passwords: string | undefined): string {
  const auth = passwords === undefined ? '' : `auth: { htpasswd: { realm: tests, path: ${passwords} } }\n`;
  return `version: 0.1
log: { level: info, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${directory}/data }, delete: { enabled: true } }
http: { addr: '127.0.0.1:0' }
${auth}`;
}
