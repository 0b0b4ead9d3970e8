import type { ContainerConfig } from '@fairlead/protocol';

/** Program and arguments: the entrypoint, if any, followed by the command. */
export function commandOf(config: ContainerConfig): { readonly path: string; readonly args: readonly string[] } {
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return { path, args };
}
