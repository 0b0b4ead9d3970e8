import {
  goMap,
  goList,
  goStruct,
  orElse,
  orEmpty,
  textField,
  type EmptyObject,
  type StringMap,
  type WireSchema,
} from '../codec/go-schema.ts';
import type * as v from 'valibot';

/** Where a container's port is reachable on the host. */
export interface PortBinding {
  /** Empty: all addresses. */
  readonly HostIp: string;
  /** Empty: any free port. `8000-8010`: one of a range. */
  readonly HostPort: string;
}

/** `80/tcp` to the places where it is reachable; null when it is exposed but not published. */
export type PortMap = StringMap<readonly PortBinding[] | null>;

/** A set: keys with nothing behind them. */
export type KeySet = StringMap<EmptyObject>;

export const portBindingSchema: WireSchema<PortBinding> = goStruct<PortBinding>('PortBinding', {
  HostIp: textField,
  HostPort: textField,
});

export const portMapSchema: v.GenericSchema<unknown, PortMap> = goMap(orElse(goList(portBindingSchema), null));

export const keySetSchema: v.GenericSchema<unknown, KeySet> = goMap(orEmpty(goStruct<EmptyObject>('struct {}', {})));
