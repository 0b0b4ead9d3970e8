import type { HostFacts } from '../spec/host-facts.ts';

/** What does not change while the engine runs; read once at start. */
export interface SystemFacts {
  /** Made once per root directory. */
  readonly engineId: string;
  readonly engineVersion: string;
  /** Short hash of the source; empty when it is not known. */
  readonly gitCommit: string;
  /** RFC 3339; empty when it is not known. */
  readonly buildTime: string;
  /** Version of Node, with its `v`. */
  readonly nodeVersion: string;
  readonly hostName: string;
  /** /proc/sys/kernel/osrelease: `6.1.0-9-amd64`. */
  readonly kernelRelease: string;
  /** PRETTY_NAME of /etc/os-release: `Debian GNU/Linux 12 (bookworm)`. */
  readonly operatingSystem: string;
  /** VERSION_ID of /etc/os-release; empty on rolling distributions. */
  readonly osVersion: string;
  readonly host: HostFacts;
  readonly ipv4Forwarding: boolean;
  /** Absolute path of everything the engine keeps. */
  readonly rootDir: string;
  readonly storageDriver: string;
  readonly storageStatus: readonly (readonly [string, string])[];
  readonly cgroupDriver: 'cgroupfs' | 'systemd' | 'none';
  /** Runtimes that can be used, the default one first. */
  readonly runtimes: readonly ProgramFacts[];
  readonly monitor: ProgramFacts;
  /** The program of HostConfig.Init; undefined when the host has none. */
  readonly init: ProgramFacts | undefined;
  readonly seccomp: boolean;
  /** The engine's limit from SIGKILL to an answer, in milliseconds. */
  readonly killConfirmMs: number;
  /** What is worse on this host than it should be, one sentence each. */
  readonly warnings: readonly string[];
}

/** A program of the host that the engine relies on. */
export interface ProgramFacts {
  readonly name: string;
  readonly path: string;
  /** Empty when it could not be asked. */
  readonly version: string;
}

/** What changes from call to call. */
export interface SystemCounts {
  readonly running: number;
  readonly paused: number;
  /** Created, exited and dead. */
  readonly stopped: number;
  readonly images: number;
  readonly eventListeners: number;
  /** Open descriptors of the engine. */
  readonly descriptors: number;
  readonly now: Date;
}
