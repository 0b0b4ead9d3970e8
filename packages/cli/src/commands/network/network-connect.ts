import { type Command, exactly } from '../../command.ts';
import { list, text, toggle } from '../../flags/flag-types.ts';
import { labelMap } from '../container/run-values.ts';

/** `fairlead network connect` */
export const networkConnectCommand: Command = {
  name: 'network connect',
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  args: exactly(2),
  define(flags) {
    const aliases = flags.add('alias', 'Add network-scoped alias for the container', list('strings'));
    const driverOptions = flags.add('driver-opt', 'driver options for the network', list('strings'));
    const ip = flags.add('ip', 'IPv4 address (e.g., "172.30.100.104")', text());
    const ip6 = flags.add('ip6', 'IPv6 address (e.g., "2001:db8::33")', text());
    const links = flags.add('link', 'Add link to another container', list());
    const local = flags.add('link-local-ip', 'Add a link-local address for the container', list('strings'));
    return async (context, [network = '', container = '']) => {
      await (
        await context.client()
      ).networks.connect(network, container, {
        endpoint: {
          IPAMConfig: { IPv4Address: ip.value, IPv6Address: ip6.value, LinkLocalIPs: local.value },
          Links: links.value,
          Aliases: aliases.value,
          DriverOpts: labelMap(driverOptions.value),
        },
      });
      return 0;
    };
  },
};

/** `fairlead network disconnect` */
export const networkDisconnectCommand: Command = {
  name: 'network disconnect',
  usage: '[OPTIONS] NETWORK CONTAINER',
  summary: 'Disconnect a container from a network',
  args: exactly(2),
  define(flags) {
    const force = flags.add('force,f', 'Force the container to disconnect from a network', toggle());
    return async (context, [network = '', container = '']) => {
      await (await context.client()).networks.disconnect(network, container, { force: force.value });
      return 0;
    };
  },
};
