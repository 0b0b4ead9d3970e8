import { DOCKER_HUB, keepLogin, registryKey } from '@fairlead/client/logins';
import { DEFAULT_DOMAIN } from '@fairlead/protocol';
import type { Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { text, toggle } from '../../flags/flag-types.ts';

/** Longer than any password or token. */
const PASSWORD_BYTES_MAX: number = 64 * 1024;

/** `fairlead login` */
export const loginCommand: Command = {
  name: 'login',
  usage: '[OPTIONS] [SERVER]',
  summary: 'Authenticate to a registry',
  args: { min: 0, max: 1 },
  define(flags) {
    const password = flags.add('password,p', 'Password or Personal Access Token (PAT)', text());
    const fromStdin = flags.add(
      'password-stdin',
      'Take the Password or Personal Access Token (PAT) from stdin',
      toggle(),
    );
    const username = flags.add('username,u', 'Username', text());
    return async (context, [server]) => {
      if (password.given && fromStdin.value) {
        throw new ExitError(EXIT_FAILURE, 'conflicting options: cannot specify both --password and --password-stdin');
      }
      if (username.value === '' || (!password.given && !fromStdin.value)) {
        throw new ExitError(EXIT_FAILURE, 'nobody is asked for a password here: use --username and --password-stdin');
      }
      if (password.given) {
        await context.err('WARNING! Using --password via the CLI is insecure. Use --password-stdin.');
      }
      const login = {
        username: username.value,
        password: fromStdin.value ? await passwordFrom(context) : password.value,
      };
      const client = await context.client();
      const registry = server === undefined ? undefined : hostIn(server);
      const { Status, IdentityToken } = await client.system.login(login, { registry });
      const kept = { env: context.env, key: registry === undefined ? DOCKER_HUB : registryKey(registry) };
      const given = IdentityToken === '' || IdentityToken === undefined ? {} : { identityToken: IdentityToken };
      const path = await keepLogin(kept, { ...login, ...given }, new AbortController().signal);
      if (path !== undefined) {
        await context.err(`\nWARNING! Your credentials are stored unencrypted in '${path}'.`);
        await context.err('Configure a credential helper to remove this warning.\n');
      }
      await context.out(`${Status === '' ? 'Login Succeeded' : Status}\n`);
      return 0;
    };
  },
};

/** `https://registry.example/v2/` is the registry `registry.example`. Source: docker/cli, ConvertToHostname. */
export function hostIn(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' ? DEFAULT_DOMAIN : host;
}

async function passwordFrom(context: CliContext): Promise<string> {
  const input: AsyncIterable<Uint8Array> = context.terminal.stdin;
  let password = Buffer.alloc(0);
  for await (const chunk of input) {
    password = Buffer.concat([password, chunk]);
    if (password.byteLength > PASSWORD_BYTES_MAX) throw new ExitError(EXIT_FAILURE, 'the password is too long');
  }
  return password.toString('utf8').replace(/\r?\n$/, '');
}
