import {
  goList,
  goMap,
  goStruct,
  intField,
  orElse,
  textField,
  textsOrNull,
  type StringMap,
  type WireSchema,
} from '../codec/go-schema.ts';
import { goString } from '../codec/go-schema.ts';

/** A device of the host, seen in the container. */
export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  /** Letters of `rwm`; empty means all three. */
  readonly CgroupPermissions: string;
}

/** A device that a driver is to choose, for example a GPU. */
export interface DeviceRequest {
  readonly Driver: string;
  /** -1: all. */
  readonly Count: number;
  readonly DeviceIDs: readonly string[] | null;
  /** One of the lists must be satisfied whole. */
  readonly Capabilities: readonly (readonly string[])[] | null;
  readonly Options: StringMap<string> | null;
}

export const deviceMappingSchema: WireSchema<DeviceMapping> = goStruct<DeviceMapping>('DeviceMapping', {
  PathOnHost: textField,
  PathInContainer: textField,
  CgroupPermissions: textField,
});

export const deviceRequestSchema: WireSchema<DeviceRequest> = goStruct<DeviceRequest>('DeviceRequest', {
  Driver: textField,
  Count: intField,
  DeviceIDs: textsOrNull,
  Capabilities: orElse(goList(goList(goString)), null),
  Options: orElse(goMap(goString), null),
});
