import type { PortBinding } from '@fairlead/protocol';
import type { Command } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';

/** `fairlead port` */
export const portCommand: Command = {
  name: 'port',
  usage: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  summary: 'List port mappings or a specific mapping for the container',
  args: { min: 1, max: 2 },
  define() {
    return async (context, [ref = '', wanted]) => {
      const { NetworkSettings } = await (await context.client()).containers.inspect(ref);
      const ports = Object.entries(NetworkSettings.Ports ?? {});
      if (wanted === undefined) {
        const lines = ports.flatMap(([port, bound]) => (bound ?? []).map((to) => `${port} -> ${addressOf(to)}\n`));
        await context.out(lines.toSorted(byPort).join(''));
        return 0;
      }
      const [number = '', protocol = 'tcp'] = wanted.split('/');
      if (!/^\d+$/.test(number)) {
        throw new ExitError(EXIT_FAILURE, `Error: invalid port '${number}': invalid syntax`);
      }
      const bound = ports.find(([port]) => port === `${number}/${protocol}`)?.[1] ?? [];
      if (bound.length === 0) {
        throw new ExitError(EXIT_FAILURE, `Error: No public port '${wanted}' published for ${ref}`);
      }
      await context.out(bound.map((to) => `${addressOf(to)}\n`).join(''));
      return 0;
    };
  },
};

function addressOf({ HostIp, HostPort }: PortBinding): string {
  return `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
}

/** 80 before 443. */
function byPort(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
