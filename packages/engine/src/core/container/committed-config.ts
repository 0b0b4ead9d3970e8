import type { ContainerConfig, Healthcheck } from '@fairlead/protocol';
import type { ImageRuntimeConfig } from '../image/record.ts';
import { keyOf } from '../spec/environment.ts';

/** What of a container's config an image can say. Empty fields are left out. */
export function runtimeConfigOf(config: ContainerConfig): ImageRuntimeConfig {
  const { Healthcheck: health } = config;
  return {
    ...(config.User === '' ? {} : { User: config.User }),
    ...(isEmpty(config.ExposedPorts) ? {} : { ExposedPorts: config.ExposedPorts }),
    ...(config.Env === null ? {} : { Env: config.Env }),
    ...(config.Entrypoint === null ? {} : { Entrypoint: config.Entrypoint }),
    ...(config.Cmd === null ? {} : { Cmd: config.Cmd }),
    ...(config.Volumes === null || isEmpty(config.Volumes) ? {} : { Volumes: config.Volumes }),
    ...(config.WorkingDir === '' ? {} : { WorkingDir: config.WorkingDir }),
    ...(isEmpty(config.Labels) ? {} : { Labels: config.Labels }),
    ...(config.StopSignal === '' ? {} : { StopSignal: config.StopSignal }),
    ...(config.StopTimeout === null ? {} : { StopTimeout: config.StopTimeout }),
    ...(config.Shell === null ? {} : { Shell: config.Shell }),
    ...(config.OnBuild === null ? {} : { OnBuild: config.OnBuild }),
    ...(health === null ? {} : { Healthcheck: { ...health, Test: health.Test ?? [] } }),
  };
}

/**
 * The config of an image that is made from a container: what was asked for, filled up from the container's. What is about one
 * container only (host name, terminal) and what Docker forgets as well (Shell, StopTimeout, OnBuild) is not taken over.
 *
 * An Entrypoint that was asked for makes the container's Cmd void. Source: moby v28, daemon/commit.go, merge.
 */
export function committedConfig(asked: ImageRuntimeConfig, container: ContainerConfig): ImageRuntimeConfig {
  return runtimeConfigOf({
    ...container,
    ...commandOf(asked, container),
    User: asked.User || container.User,
    ExposedPorts: { ...container.ExposedPorts, ...asked.ExposedPorts },
    Env: environmentOf(asked.Env ?? [], container.Env ?? []),
    Volumes: { ...container.Volumes, ...asked.Volumes },
    WorkingDir: asked.WorkingDir || container.WorkingDir,
    Labels: { ...container.Labels, ...asked.Labels },
    StopSignal: asked.StopSignal || container.StopSignal,
    Healthcheck: healthOf(asked.Healthcheck, container.Healthcheck),
    Shell: asked.Shell ?? null,
    OnBuild: asked.OnBuild ?? null,
    StopTimeout: asked.StopTimeout ?? null,
  });
}

function commandOf(asked: ImageRuntimeConfig, container: ContainerConfig): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const { Entrypoint: entrypoint, Cmd: cmd } = asked;
  if (entrypoint !== undefined && entrypoint.length > 0) return { Entrypoint: entrypoint, Cmd: cmd ?? null };
  const chosen = cmd === undefined || cmd.length === 0 ? container.Cmd : cmd;
  return { Entrypoint: entrypoint ?? container.Entrypoint, Cmd: chosen };
}

/** Those asked for in their order, then those of the container that were not. */
function environmentOf(asked: readonly string[], own: readonly string[]): readonly string[] | null {
  const keys = new Set(asked.map(keyOf));
  const merged = [...asked, ...own.filter((entry) => !keys.has(keyOf(entry)))];
  return merged.length === 0 ? null : merged;
}

function healthOf(asked: ImageRuntimeConfig['Healthcheck'], own: Healthcheck | null): Healthcheck | null {
  if (asked === undefined) return own;
  const test = asked.Test === undefined || asked.Test.length === 0 ? (own?.Test ?? null) : asked.Test;
  return {
    Test: test,
    Interval: asked.Interval || (own?.Interval ?? 0),
    Timeout: asked.Timeout || (own?.Timeout ?? 0),
    StartPeriod: asked.StartPeriod || (own?.StartPeriod ?? 0),
    StartInterval: asked.StartInterval || (own?.StartInterval ?? 0),
    Retries: asked.Retries || (own?.Retries ?? 0),
  };
}

function isEmpty(map: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(map).length === 0;
}
