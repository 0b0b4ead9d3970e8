import { type Command, exactly } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import { list, text, toggle } from '../../flags/flag-types.ts';
import { labelMap } from '../container/run-values.ts';

/** `fairlead network create` */
export const networkCreateCommand: Command = {
  name: 'network create',
  usage: '[OPTIONS] NETWORK',
  summary: 'Create a network',
  args: exactly(1),
  define(flags) {
    const attachable = flags.add('attachable', 'Enable manual container attachment', toggle());
    const aux = flags.add('aux-address', 'Auxiliary IPv4 or IPv6 addresses used by Network driver', list('map'));
    const driver = flags.add('driver,d', 'Driver to manage the Network (default "bridge")', text('bridge'));
    const gateways = flags.add('gateway', 'IPv4 or IPv6 Gateway for the master subnet', list('ipSlice'));
    const internal = flags.add('internal', 'Restrict external access to the network', toggle());
    const ranges = flags.add('ip-range', 'Allocate container ip from a sub-range', list('ipNetSlice'));
    const ipamDriver = flags.add('ipam-driver', 'IP Address Management Driver (default "default")', text('default'));
    const ipamOptions = flags.add('ipam-opt', 'Set IPAM driver specific options', list('map'));
    const ipv6 = flags.add('ipv6', 'Enable or disable IPv6 address assignment', toggle());
    const labels = flags.add('label', 'Set metadata on a network', list());
    const options = flags.add('opt,o', 'Set driver specific options', list('map'));
    const subnets = flags.add('subnet', 'Subnet in CIDR format that represents a network segment', list('ipNetSlice'));
    return async (context, [Name = '']) => {
      const pools = subnets.value.map((Subnet, at) => ({
        Subnet,
        Gateway: gateways.value[at],
        IPRange: ranges.value[at],
        // Which subnet they are of, they say themselves; with several, the first has them, where engines look for them.
        AuxiliaryAddresses: at === 0 ? labelMap(aux.value) : {},
      }));
      if (pools.length === 0 && [...gateways.value, ...ranges.value, ...aux.value].length > 0) {
        throw new ExitError(EXIT_FAILURE, 'every ip-range or gateway must have a corresponding subnet');
      }
      const { Id, Warning } = await (
        await context.client()
      ).networks.create({
        Name,
        Driver: driver.value,
        Attachable: attachable.value,
        Internal: internal.value,
        EnableIPv6: ipv6.value,
        IPAM: { Driver: ipamDriver.value, Options: labelMap(ipamOptions.value), Config: pools },
        Options: labelMap(options.value),
        Labels: labelMap(labels.value),
      });
      if ((Warning ?? '') !== '') await context.err(`WARNING: ${Warning}`);
      await context.out(`${Id}\n`);
      return 0;
    };
  },
};
