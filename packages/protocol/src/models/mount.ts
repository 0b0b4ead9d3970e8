import {
  boolField,
  goStruct,
  int64Field,
  goInt,
  goList,
  goString,
  orElse,
  textField,
  textMapField,
  type StringMap,
  type WireSchema,
} from '../codec/go-schema.ts';

export interface BindOptions {
  /** `rprivate` and its kin; empty: the default. */
  readonly Propagation: string;
  readonly NonRecursive: boolean;
  readonly CreateMountpoint: boolean;
  readonly ReadOnlyNonRecursive: boolean;
  readonly ReadOnlyForceRecursive: boolean;
}

export interface VolumeOptions {
  readonly NoCopy: boolean;
  readonly Labels: StringMap<string>;
  readonly Subpath: string;
  readonly DriverConfig: { readonly Name: string; readonly Options: StringMap<string> } | null;
}

export interface TmpfsOptions {
  /** 0: no limit. */
  readonly SizeBytes: number;
  /** Go's file mode; 0: 01777. */
  readonly Mode: number;
  /** `[["noexec"], ["size", "1m"]]` */
  readonly Options: readonly (readonly string[])[] | null;
}

/** One entry of HostConfig.Mounts. */
export interface Mount {
  /** `bind`, `volume`, `tmpfs`; others are passed on, to be refused. */
  readonly Type: string;
  readonly Source: string;
  readonly Target: string;
  readonly ReadOnly: boolean;
  readonly Consistency: string;
  readonly BindOptions: BindOptions | null;
  readonly VolumeOptions: VolumeOptions | null;
  readonly TmpfsOptions: TmpfsOptions | null;
}

const bindOptionsSchema: WireSchema<BindOptions> = goStruct<BindOptions>('BindOptions', {
  Propagation: textField,
  NonRecursive: boolField,
  CreateMountpoint: boolField,
  ReadOnlyNonRecursive: boolField,
  ReadOnlyForceRecursive: boolField,
});

const volumeOptionsSchema: WireSchema<VolumeOptions> = goStruct<VolumeOptions>('VolumeOptions', {
  NoCopy: boolField,
  Labels: textMapField,
  Subpath: textField,
  DriverConfig: orElse(
    goStruct<NonNullable<VolumeOptions['DriverConfig']>>('Driver', { Name: textField, Options: textMapField }),
    null,
  ),
});

const tmpfsOptionsSchema: WireSchema<TmpfsOptions> = goStruct<TmpfsOptions>('TmpfsOptions', {
  SizeBytes: int64Field,
  Mode: orElse(goInt('uint'), 0),
  Options: orElse(goList(goList(goString)), null),
});

export const mountSchema: WireSchema<Mount> = goStruct<Mount>('Mount', {
  Type: textField,
  Source: textField,
  Target: textField,
  ReadOnly: boolField,
  Consistency: textField,
  BindOptions: orElse(bindOptionsSchema, null),
  VolumeOptions: orElse(volumeOptionsSchema, null),
  TmpfsOptions: orElse(tmpfsOptionsSchema, null),
});
