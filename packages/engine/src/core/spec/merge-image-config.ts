import { EngineError, type ContainerConfig, type Healthcheck } from '@fairlead/protocol';
import type { ImageRuntimeConfig } from '../image/record.ts';
import { keyOf } from './environment.ts';
import { cleanPath, isAbsolute } from './paths.ts';

/**
 * The config a container runs with: what the client asked for, filled up from the image.
 *
 * Entrypoint: null takes the image's (and its Cmd, if none was given); `[]` means none, and the image's Cmd counts;
 * `[""]` means none. An Entrypoint of the client's own makes the image's Cmd void. Source: moby v28 daemon/commit.go, merge.
 * @throws EngineError 'invalid-argument' `no command specified`.
 */
export function mergeImageConfig(config: ContainerConfig, image: ImageRuntimeConfig): ContainerConfig {
  const merged: ContainerConfig = {
    ...config,
    ...mergeCommand(config, image),
    User: config.User || (image.User ?? ''),
    ExposedPorts: { ...image.ExposedPorts, ...config.ExposedPorts },
    Env: mergeEnv(config.Env, image.Env ?? []),
    Labels: { ...image.Labels, ...config.Labels },
    WorkingDir: cleanIfAbsolute(config.WorkingDir || (image.WorkingDir ?? '')),
    Volumes: mergeVolumes(config, image),
    StopSignal: config.StopSignal || (image.StopSignal ?? ''),
    StopTimeout: config.StopTimeout ?? image.StopTimeout ?? null,
    Shell: config.Shell ?? image.Shell ?? null,
    OnBuild: config.OnBuild ?? null,
    Healthcheck: mergeHealthcheck(config.Healthcheck, image.Healthcheck),
  };
  if (commandOf(merged).length === 0) throw new EngineError('invalid-argument', 'no command specified');
  return merged;
}

/** Entrypoint and Cmd as one list: what is executed. Inspect shows its first word as Path, the rest as Args. */
export function commandOf(config: ContainerConfig): readonly string[] {
  return [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
}

function mergeCommand(config: ContainerConfig, image: ImageRuntimeConfig): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const { Entrypoint: entrypoint, Cmd: cmd } = config;
  const imageCmd = image.Cmd === undefined || image.Cmd.length === 0 ? null : image.Cmd;
  const imageEntrypoint = image.Entrypoint === undefined || image.Entrypoint.length === 0 ? null : image.Entrypoint;
  if (entrypoint !== null && entrypoint.length > 0) {
    const reset = entrypoint.length === 1 && entrypoint[0] === '';
    return { Entrypoint: reset ? null : entrypoint, Cmd: cmd };
  }
  const chosenCmd = cmd === null || cmd.length === 0 ? imageCmd : cmd;
  return { Entrypoint: entrypoint === null ? imageEntrypoint : entrypoint, Cmd: chosenCmd };
}

/** The client's variables in their order, then those of the image that it neither set nor took away. */
function mergeEnv(own: readonly string[] | null, image: readonly string[]): readonly string[] | null {
  if (own === null || own.length === 0) return image.length === 0 ? own : image;
  const keys = new Set(own.map(keyOf));
  return [...own, ...image.filter((entry) => !keys.has(keyOf(entry)))];
}

function mergeVolumes(config: ContainerConfig, image: ImageRuntimeConfig): ContainerConfig['Volumes'] {
  const merged = { ...image.Volumes, ...config.Volumes };
  return Object.keys(merged).length === 0 ? null : merged;
}

function mergeHealthcheck(own: Healthcheck | null, image: ImageRuntimeConfig['Healthcheck']): Healthcheck | null {
  if (image === undefined) return own;
  return {
    Test: own?.Test !== undefined && own.Test !== null && own.Test.length > 0 ? own.Test : (image.Test ?? null),
    Interval: own?.Interval || (image.Interval ?? 0),
    Timeout: own?.Timeout || (image.Timeout ?? 0),
    StartPeriod: own?.StartPeriod || (image.StartPeriod ?? 0),
    StartInterval: own?.StartInterval || (image.StartInterval ?? 0),
    Retries: own?.Retries || (image.Retries ?? 0),
  };
}

/** A relative one is refused afterwards, as it was written. */
function cleanIfAbsolute(directory: string): string {
  return isAbsolute(directory) ? cleanPath(directory) : directory;
}
