import {
  boolField,
  goInt,
  goStruct,
  int64Field,
  intField,
  orElse,
  orEmpty,
  stringOrList,
  textField,
  textMapField,
  textsOrNull,
  type StringMap,
  type StructEntries,
  type WireInput,
  type WireSchema,
} from '../codec/go-schema.ts';
import { keySetSchema, type KeySet } from './port-map.ts';

/** How a container's health is found out. Times are nanoseconds, 0 takes the image's or the default. */
export interface Healthcheck {
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", script]`; null or empty takes the image's. */
  readonly Test: readonly string[] | null;
  readonly Interval: number;
  readonly Timeout: number;
  readonly StartPeriod: number;
  readonly StartInterval: number;
  readonly Retries: number;
}

/** What runs in a container. Names and null-or-empty are Docker's; `inspectedConfig` leaves out what Docker leaves out. */
export interface ContainerConfig {
  readonly Hostname: string;
  readonly Domainname: string;
  /** `name|uid[:group|gid]`; empty: the image's, else root. */
  readonly User: string;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly ExposedPorts: KeySet;
  readonly Tty: boolean;
  readonly OpenStdin: boolean;
  readonly StdinOnce: boolean;
  /** `K=V`; `K` alone takes the variable away. */
  readonly Env: readonly string[] | null;
  readonly Cmd: readonly string[] | null;
  readonly Healthcheck: Healthcheck | null;
  readonly ArgsEscaped: boolean;
  /** As the client wrote it. */
  readonly Image: string;
  readonly Volumes: KeySet | null;
  readonly WorkingDir: string;
  /** null: the image's. `[]`: none, and the image's Cmd counts. `[""]`: none. */
  readonly Entrypoint: readonly string[] | null;
  readonly NetworkDisabled: boolean;
  readonly MacAddress: string;
  readonly OnBuild: readonly string[] | null;
  readonly Labels: StringMap<string>;
  /** Empty: SIGTERM. */
  readonly StopSignal: string;
  /** Seconds; negative waits without end; null: the engine's default. */
  readonly StopTimeout: number | null;
  readonly Shell: readonly string[] | null;
}

/** What a client may send: everything optional; Cmd and Entrypoint also as one text. */
export type ContainerConfigInput = Omit<WireInput<ContainerConfig>, 'Cmd' | 'Entrypoint'> & {
  readonly Cmd?: string | readonly string[] | null | undefined;
  readonly Entrypoint?: string | readonly string[] | null | undefined;
};

const healthcheckSchema: WireSchema<Healthcheck> = goStruct<Healthcheck>('HealthConfig', {
  Test: textsOrNull,
  Interval: int64Field,
  Timeout: int64Field,
  StartPeriod: int64Field,
  StartInterval: int64Field,
  Retries: intField,
});

/** The fields of `ContainerConfig`, for schemas that hold them at their top level. */
export const containerConfigEntries: StructEntries<ContainerConfig> = {
  Hostname: textField,
  Domainname: textField,
  User: textField,
  AttachStdin: boolField,
  AttachStdout: boolField,
  AttachStderr: boolField,
  ExposedPorts: orEmpty(keySetSchema),
  Tty: boolField,
  OpenStdin: boolField,
  StdinOnce: boolField,
  Env: textsOrNull,
  Cmd: orElse(stringOrList, null),
  Healthcheck: orElse(healthcheckSchema, null),
  ArgsEscaped: boolField,
  Image: textField,
  Volumes: orElse(keySetSchema, null),
  WorkingDir: textField,
  Entrypoint: orElse(stringOrList, null),
  NetworkDisabled: boolField,
  MacAddress: textField,
  OnBuild: textsOrNull,
  Labels: textMapField,
  StopSignal: textField,
  StopTimeout: orElse(goInt('int'), null),
  Shell: orElse(stringOrList, null),
};

export const containerConfigSchema: WireSchema<ContainerConfig, ContainerConfigInput> = goStruct<ContainerConfig>(
  'Config',
  containerConfigEntries,
);

/** The config as inspect shows it: fields that Docker leaves out when empty are left out. Source: moby api/types/container/config.go. */
export function inspectedConfig(config: ContainerConfig): Partial<ContainerConfig> {
  const omitted = new Set<string>();
  if (Object.keys(config.ExposedPorts).length === 0) omitted.add('ExposedPorts');
  for (const key of OMITTED_WHEN_EMPTY) {
    if (config[key] === null || config[key] === '' || config[key] === false) omitted.add(key);
  }
  const shown = {
    ...config,
    Healthcheck: config.Healthcheck === null ? null : inspectedHealthcheck(config.Healthcheck),
  };
  return Object.fromEntries(Object.entries(shown).filter(([key]) => !omitted.has(key)));
}

/** Every field of it is left out when empty. */
function inspectedHealthcheck({ Test: test, ...times }: Healthcheck): Partial<Healthcheck> {
  const shown = Object.entries(times).filter(([, value]) => value !== 0);
  return { ...(test === null || test.length === 0 ? {} : { Test: test }), ...Object.fromEntries(shown) };
}

const OMITTED_WHEN_EMPTY = [
  'Healthcheck',
  'ArgsEscaped',
  'NetworkDisabled',
  'MacAddress',
  'StopSignal',
  'StopTimeout',
  'Shell',
] as const satisfies readonly (keyof ContainerConfig)[];
