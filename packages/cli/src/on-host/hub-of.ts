import { readFile } from 'node:fs/promises';
import type { HubConnectOptions } from '@fairlead/client/fleet';
import { HUB_SOCKET } from '@fairlead/protocol/fleet';

/** Which hub the environment names, unless a command line says otherwise. */
export interface HubChoice {
  readonly hub?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
}

/** `FAIRLEAD_HUB`, `FAIRLEAD_TOKEN` and `FAIRLEAD_HUB_CA`, else the hub's socket on this machine. @throws the file system's errors. */
export async function hubOf(
  env: Readonly<Record<string, string | undefined>>,
  choice: HubChoice = {},
): Promise<HubConnectOptions> {
  const caFile = choice.caFile || env['FAIRLEAD_HUB_CA'];
  return {
    hub: choice.hub || env['FAIRLEAD_HUB'] || `unix://${HUB_SOCKET}`,
    token: choice.tokenFile ? (await readFile(choice.tokenFile, 'utf8')).trim() : env['FAIRLEAD_TOKEN'] || undefined,
    tls: caFile ? { ca: await readFile(caFile) } : undefined,
  };
}
