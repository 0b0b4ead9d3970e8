import { DOCKER_HUB, forgetLogin, registryKey } from '@fairlead/client/logins';
import type { Command } from '../../command.ts';
import { hostIn } from './login.ts';

/** `fairlead logout` */
export const logoutCommand: Command = {
  name: 'logout',
  usage: '[SERVER]',
  summary: 'Log out from a registry',
  args: { min: 0, max: 1 },
  define() {
    return async (context, [server]) => {
      const key = server === undefined ? DOCKER_HUB : registryKey(hostIn(server));
      const was = await forgetLogin({ env: context.env, key }, new AbortController().signal);
      const shown = server === undefined ? DOCKER_HUB : hostIn(server);
      await context.out(was ? `Removing login credentials for ${shown}\n` : `Not logged in to ${shown}\n`);
      return 0;
    };
  },
};
