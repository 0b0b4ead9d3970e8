import type { Command } from '../../command.ts';
import { noArguments } from '../../command.ts';
import { list, parsed, text } from '../../flags/flag-types.ts';
import { labelsOf } from './fleet-host.ts';
import { untilAsked } from './serving-flags.ts';

/** Where key, identity and journal of a host's agent are kept. */
const STATE_DIR = '/var/lib/fairlead/agent';

/** `fairlead agent`: this host in a fleet. The fleet is loaded only when asked for. */
export const agentCommand: Command = {
  name: 'agent',
  usage: '[OPTIONS]',
  summary:
    'Put this host into a fleet: do what its hub asks, until SIGTERM; what runs is found again at the next start',
  args: noArguments,
  define(flags) {
    const one = (flag: string, help: string): { readonly value: string | undefined } =>
      flags.add(flag, help, parsed('string', String));
    const hub = one('hub', 'Address of the hub: http://HOST:PORT or https://HOST:PORT (needed the first time)');
    const hubCa = one(
      'hub-ca',
      'File with the certificates to trust at the hub (FAIRLEAD_HUB_CA; kept from the first time)',
    );
    const token = one('token', 'Enrolment token, used once (or FAIRLEAD_ENROLMENT_TOKEN)');
    const name = one('name', "Name of this host in the fleet (default: the machine's)");
    const labels = flags.add('label,l', 'Label of this host, KEY=VALUE; may be repeated (the first time)', list());
    const engine = one(
      'engine',
      'The engine to command: unix:///PATH, tcp://HOST:PORT, … (default: as for every command)',
    );
    const policy = one('policy', 'File that says what this host allows (default: everything)');
    const stateDir = flags.add('state-dir', `Where key and journal are kept (default "${STATE_DIR}")`, text(STATE_DIR));
    return async (context) => {
      const { jsonLinesLog, runAgent } = await import('@fairlead/fleet');
      await runAgent(
        {
          stateDir: stateDir.value,
          hub: hub.value,
          hubCa: hubCa.value ?? (context.env['FAIRLEAD_HUB_CA'] || undefined),
          token: token.value ?? (context.env['FAIRLEAD_ENROLMENT_TOKEN'] || undefined),
          name: name.value,
          labels: labelsOf(labels.value),
          engine: engine.value ?? context.hosts.at(-1),
          policy: policy.value,
          env: context.env,
          log: jsonLinesLog((line) => void context.err(line.trimEnd())),
        },
        untilAsked(),
      );
      return 0;
    };
  },
};
