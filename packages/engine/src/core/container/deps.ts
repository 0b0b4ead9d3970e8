import type { Clock } from '../ports/clock.ts';
import type { Console } from '../ports/console.ts';
import type { ContainerFiles } from '../ports/container-files.ts';
import type { ContainerLog } from '../ports/container-log.ts';
import type { ContainerRuntime } from '../ports/container-runtime.ts';
import type { NetworkDriver } from '../ports/network-driver.ts';
import type { Snapshotter } from '../ports/snapshotter.ts';
import type { ImageLookup } from '../image/record.ts';
import type { VolumeDeps } from '../volume/deps.ts';
import type { HostDevices } from '../ports/host-devices.ts';
import type { HostFacts } from '../spec/host-facts.ts';
import type { OciSeccomp } from '../spec/oci.ts';
import type { EngineAbilities } from '../spec/validate-create.ts';
import type { Attachments } from './attachments.ts';
import type { ContainerActor } from './actor.ts';
import type { ContainerDirectory } from './directory.ts';
import type { ContainerRecord } from './record.ts';

/** Announces something that happened to a container. */
export type PublishContainerEvent = (
  record: ContainerRecord,
  action: string,
  attributes?: Readonly<Record<string, string>>,
) => void;

/** What the verbs of containers work with; each takes the part it needs. */
export interface ContainerDeps {
  readonly directory: ContainerDirectory;
  readonly images: ImageLookup;
  readonly runtime: ContainerRuntime;
  readonly console: Console;
  readonly snapshots: Snapshotter;
  readonly network: NetworkDriver;
  readonly files: ContainerFiles;
  readonly volumes: VolumeDeps;
  readonly logs: ContainerLog;
  readonly clock: Clock;
  readonly facts: HostFacts;
  readonly abilities: EngineAbilities;
  readonly devices: HostDevices;
  /** The default seccomp profile for a set of capabilities; undefined on a host without one. */
  readonly defaultSeccomp: (capabilities: readonly string[]) => OciSeccomp | undefined;
  /** The program of HostConfig.Init; undefined when the host has none. */
  readonly initPath: string | undefined;
  readonly attachments: Attachments;
  /** Makes the owner of a new record; the directory takes it in. */
  readonly newActor: (record: ContainerRecord) => ContainerActor;
  /** All that is stored and announced in it, by the `publish` that it is given, or nothing. */
  readonly transaction: (work: (publish: PublishContainerEvent) => void) => void;
  /** Announces something that has happened to a container, and never fails; durable when it returns, unless the disk is full. */
  readonly publish: PublishContainerEvent;
}
