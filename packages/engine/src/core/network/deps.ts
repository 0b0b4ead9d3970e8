import type { ContainerDirectory } from '../container/directory.ts';
import type { NetworkDriver } from '../ports/network-driver.ts';

/** What the verbs of networks work with. */
export interface NetworkDeps {
  readonly network: NetworkDriver;
  readonly directory: ContainerDirectory;
  /** When the predefined networks came to be: with the engine's root. */
  readonly createdAt: Date;
}
