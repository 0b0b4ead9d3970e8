import { connect } from '@fairlead/client';
import type { CliContext } from '../context.ts';
import { VERSION } from '../version.ts';
import { fleetVerbs } from './fleet-verbs.ts';
import { hubOf } from './hub-of.ts';

/** The same command line, for one host of the fleet: reads go to its engine through the hub, changes are operations on record. */
export function hostContext(context: CliContext, host: string): CliContext {
  const { env } = context;
  let client: ReturnType<typeof connect> | undefined;
  const open = async (): ReturnType<typeof connect> =>
    await connect({ ...(await hubOf(env)), host, env: {}, userAgent: `fairlead/${VERSION}` });
  return {
    ...context,
    client: () => (client ??= open()),
    verbs: async () => fleetVerbs(await hubOf(env), host),
  };
}
