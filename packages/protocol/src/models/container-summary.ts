import type { StringMap } from '../codec/go-schema.ts';
import type { ContainerStatus, EndpointSettings, MountPoint } from './container-inspect.ts';

/** One port of a container in a list. */
export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  /** Only when it is published. */
  readonly PublicPort?: number;
  readonly Type: 'tcp' | 'udp' | 'sctp';
}

/** One element of the answer to `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  /** With leading slashes. */
  readonly Names: readonly string[];
  /** As written at create; the id when its tag has moved on. */
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly Ports: readonly PortSummary[];
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: StringMap<string>;
  readonly State: ContainerStatus;
  /** For people: `Up 3 seconds`. */
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode: string; readonly Annotations?: StringMap<string> };
  readonly NetworkSettings: { readonly Networks: StringMap<EndpointSettings> };
  readonly Mounts: readonly MountPoint[];
}
