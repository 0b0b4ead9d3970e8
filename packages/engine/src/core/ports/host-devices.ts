import type { DeviceMapping } from '@fairlead/protocol';
import type { BlockDevices } from '../spec/block-io.ts';
import type { MappedDevice } from '../spec/devices.ts';
import type { OciDevice } from '../spec/oci.ts';

/** The device nodes of the host. */
export interface HostDevices {
  /**
   * What a mapping stands for: the device, or every device in a directory.
   * @throws EngineError 'internal' `error gathering device information while adding custom device "…"` when there is none.
   */
  find(mapping: DeviceMapping): Promise<readonly MappedDevice[]>;
  /** The numbers of these devices. @throws EngineError 'internal' `stat /dev/x: no such file or directory`. */
  numbers(paths: readonly string[]): Promise<BlockDevices>;
  /** Every device under /dev, without terminals and shared memory: what a privileged container gets. */
  all(): Promise<readonly OciDevice[]>;
}
