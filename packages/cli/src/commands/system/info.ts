import { humanMemory, type SystemInfo } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { text } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { parseTemplate } from '../../format/go-template.ts';

/** `fairlead info` */
export const infoCommand: Command = {
  name: 'info',
  usage: '[OPTIONS]',
  summary: 'Display system-wide information',
  args: noArguments,
  define(flags) {
    const format = flags.add('format,f', "Format output using a custom template: 'json' or 'TEMPLATE'", text());
    return async (context) => {
      const client = await context.client();
      const info = await client.system.info();
      if (format.value === 'json') await context.out(`${plainJson(info)}\n`);
      else if (format.value !== '') await context.out(`${parseTemplate(format.value).render(info)}\n`);
      else await context.out(`${lines(info, client.address).join('\n')}\n`);
      for (const warning of info.Warnings ?? []) await context.err(warning);
      return 0;
    };
  },
};

function lines(info: SystemInfo, address: string): readonly string[] {
  const runtimes = Object.keys(info.Runtimes ?? {}).toSorted();
  return [
    `Address: ${address}`,
    `Containers: ${info.Containers}`,
    ` Running: ${info.ContainersRunning}`,
    ` Paused: ${info.ContainersPaused}`,
    ` Stopped: ${info.ContainersStopped}`,
    `Images: ${info.Images}`,
    `Server Version: ${info.ServerVersion}`,
    `Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([name, value]) => ` ${name}: ${value}`),
    `Logging Driver: ${info.LoggingDriver}`,
    `Cgroup Driver: ${info.CgroupDriver}`,
    `Cgroup Version: ${info.CgroupVersion}`,
    `Runtimes: ${runtimes.join(' ')}`,
    `Default Runtime: ${info.DefaultRuntime}`,
    `Init Binary: ${info.InitBinary}`,
    `Security Options: ${(info.SecurityOptions ?? []).join(' ')}`,
    `Kernel Version: ${info.KernelVersion}`,
    `Operating System: ${info.OperatingSystem}`,
    `OSType: ${info.OSType}`,
    `Architecture: ${info.Architecture}`,
    `CPUs: ${info.NCPU}`,
    `Total Memory: ${humanMemory(info.MemTotal)}`,
    `Name: ${info.Name}`,
    `ID: ${info.ID}`,
    `Root Dir: ${info.DockerRootDir}`,
    ...(info.KillConfirmMs === undefined ? [] : [`Kill Confirm: ${info.KillConfirmMs} ms`]),
  ];
}
