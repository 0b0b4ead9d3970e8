import { API_VERSION } from '@fairlead/protocol';
import type { VersionInfo } from '@fairlead/protocol';
import { type Command, noArguments } from '../../command.ts';
import { failureText, EXIT_FAILURE } from '../../exit-codes.ts';
import { text } from '../../flags/flag-types.ts';
import { plainJson } from '../../format/go-template-value.ts';
import { parseTemplate } from '../../format/go-template.ts';
import { VERSION } from '../../version.ts';

interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly NodeVersion: string;
  readonly Os: string;
  readonly Arch: string;
}

/** `fairlead version` */
export const versionCommand: Command = {
  name: 'version',
  usage: '[OPTIONS]',
  summary: 'Show the version of this program and of the engine',
  args: noArguments,
  define(flags) {
    const format = flags.add('format,f', "Format output using a custom template: 'json' or 'TEMPLATE'", text());
    return async (context) => {
      let server: VersionInfo | null = null;
      let apiVersion: string = API_VERSION;
      let failure: string | undefined;
      try {
        const client = await context.client();
        server = await client.system.version();
        ({ apiVersion } = await client.traits());
      } catch (error) {
        // What this program is can be told without an engine.
        failure = failureText(error);
      }
      const versions = { Client: clientVersion(apiVersion), Server: server };
      await context.out(shown(versions, format.value));
      if (failure !== undefined) await context.err(failure);
      return failure === undefined ? 0 : EXIT_FAILURE;
    };
  },
};

function clientVersion(apiVersion: string): ClientVersion {
  const { version, platform, arch } = process;
  return {
    Version: VERSION,
    ApiVersion: apiVersion,
    DefaultAPIVersion: API_VERSION,
    NodeVersion: version,
    Os: platform,
    Arch: arch,
  };
}

function shown(
  versions: { readonly Client: ClientVersion; readonly Server: VersionInfo | null },
  format: string,
): string {
  if (format === 'json') return `${plainJson(versions)}\n`;
  if (format !== '') return `${parseTemplate(format).render(versions)}\n`;
  const { Client, Server } = versions;
  const api = Client.ApiVersion === Client.DefaultAPIVersion ? '' : ` (downgraded from ${Client.DefaultAPIVersion})`;
  const lines = [
    'Client: Fairlead',
    ` Version:           ${Client.Version}`,
    ` API version:       ${Client.ApiVersion}${api}`,
    ` Node version:      ${Client.NodeVersion}`,
    ` OS/Arch:           ${Client.Os}/${Client.Arch}`,
  ];
  return `${[...lines, ...(Server === null ? [] : serverLines(Server))].join('\n')}\n`;
}

function serverLines(server: VersionInfo): readonly string[] {
  const name = server.Platform?.Name ?? '';
  const others = (server.Components ?? []).filter((component) => component.Name !== 'Engine');
  return [
    '',
    name === '' ? 'Server:' : `Server: ${name}`,
    ' Engine:',
    `  Version:          ${server.Version}`,
    `  API version:      ${server.ApiVersion} (minimum version ${server.MinAPIVersion})`,
    `  OS/Arch:          ${server.Os}/${server.Arch}`,
    `  Kernel:           ${server.KernelVersion}`,
    ...others.flatMap((component) => [` ${component.Name}:`, `  Version:          ${component.Version}`]),
  ];
}
