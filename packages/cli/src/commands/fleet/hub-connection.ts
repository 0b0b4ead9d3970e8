import { FleetClient } from '@fairlead/client/fleet';
import { HUB_SOCKET } from '@fairlead/protocol/fleet';
import type { CliContext } from '../../context.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { text } from '../../flags/flag-types.ts';
import { hubOf } from '../../on-host/hub-of.ts';

/** Opens the hub that the flags and the environment name. */
export type OpenHub = (context: CliContext) => Promise<FleetClient>;

/** Declares `--hub`, `--token-file` and `--hub-ca`, and gives back what opens the hub they name. */
export function hubFlags(flags: FlagSet): OpenHub {
  const hub = flags.add('hub', `Address of the hub (FAIRLEAD_HUB; default "unix://${HUB_SOCKET}")`, text());
  const tokenFile = flags.add('token-file', 'File with the token to show the hub (or FAIRLEAD_TOKEN)', text());
  const ca = flags.add('hub-ca', 'File with the certificates to trust as the hub (FAIRLEAD_HUB_CA)', text());
  return async ({ env }) =>
    await FleetClient.open(await hubOf(env, { hub: hub.value, tokenFile: tokenFile.value, caFile: ca.value }));
}
