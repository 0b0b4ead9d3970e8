import { goStruct, textField, textMapField, type StringMap, type WireSchema } from '../codec/go-schema.ts';

/** One volume, as create, inspect and list show it. */
export interface Volume {
  readonly Name: string;
  readonly Driver: string;
  /** Absolute path of its content on the host. */
  readonly Mountpoint: string;
  /** RFC 3339, whole seconds. */
  readonly CreatedAt: string;
  readonly Labels: StringMap<string> | null;
  /** The driver's options as given at create. */
  readonly Options: StringMap<string> | null;
  readonly Scope: 'local' | 'global';
  /** Only in the answer to `GET /system/df`; -1 where it was not found out. */
  readonly UsageData?: { readonly RefCount: number; readonly Size: number };
}

/** What a client asks of a new volume. */
export interface CreateVolumeBody {
  /** Empty: an anonymous one. */
  readonly Name: string;
  /** Empty: `local`. */
  readonly Driver: string;
  readonly DriverOpts: StringMap<string>;
  readonly Labels: StringMap<string>;
}

/** Answer to `GET /volumes`. */
export interface VolumeList {
  readonly Volumes: readonly Volume[];
  readonly Warnings: readonly string[] | null;
}

/** Answer to `POST /volumes/prune`. */
export interface VolumePruneReport {
  readonly VolumesDeleted: readonly string[];
  /** Bytes. */
  readonly SpaceReclaimed: number;
}

export const createVolumeBodySchema: WireSchema<CreateVolumeBody> = goStruct<CreateVolumeBody>('CreateOptions', {
  Name: textField,
  Driver: textField,
  DriverOpts: textMapField,
  Labels: textMapField,
});
