import { join, normalize } from 'node:path';
import { EngineError } from '@fairlead/protocol';
import type { Clock } from '../../core/ports/clock.ts';
import type {
  BlockIoUsage,
  ContainerUsage,
  MemoryUsage,
  UsageSample,
  UsageTarget,
} from '../../core/ports/container-usage.ts';
import { readTextIfExists } from '../../host/files.ts';
import { readKernelFile } from '../../host/kernel-files.ts';
import { processPresence } from '../../host/proc.ts';
import { parseHostCpu, parseInterfaces, parseNumber } from './kernel-text.ts';
import { legacyBlockIo, legacyCpu, legacyMemory, type GroupCpu } from './legacy-usage.ts';
import { unifiedBlockIo, unifiedCpu, unifiedMemory } from './unified-usage.ts';

/** memory.stat has under 100 lines. */
const MEMORY_STAT_BYTES_MAX: number = 64 * 1024;

/** Where this host's control groups are mounted. */
export interface CgroupMounts {
  readonly version: 1 | 2;
  readonly unified: string | undefined;
  /** By controller. */
  readonly legacy: ReadonlyMap<string, string>;
}

/** One container's group, in whichever hierarchies it is. */
interface Group {
  cpu(): GroupCpu | undefined;
  memory(statText: string): MemoryUsage;
  blockIo(): BlockIoUsage;
  readonly memoryStatPath: string | undefined;
  /** The text of a file of the pids controller. */
  pids(file: string): string | undefined;
}

/** Measures containers by the kernel's own accounts: control groups and network interfaces. */
export class CgroupUsage implements ContainerUsage {
  readonly #mounts: CgroupMounts;
  readonly #clock: Clock;

  constructor(mounts: CgroupMounts, clock: Clock) {
    this.#mounts = mounts;
    this.#clock = clock;
  }

  async sample(target: UsageTarget): Promise<UsageSample | undefined> {
    const path = normalize(`/${target.cgroupsPath}`);
    if (path === '/') throw new EngineError('internal', `not a container's cgroup: ${target.cgroupsPath}`);
    const group = this.#mounts.version === 2 ? unifiedGroup(this.#mounts, path) : legacyGroup(this.#mounts, path);
    const statPath = group.memoryStatPath;
    const statText = statPath === undefined ? '' : await readTextIfExists(statPath, MEMORY_STAT_BYTES_MAX);
    // Read together and at once: who subtracts two samples wants both clocks to be of the same moment.
    const cpu = group.cpu();
    const host = parseHostCpu(readKernelFile('/proc/stat') ?? '');
    if (cpu === undefined || statText === undefined) return undefined;
    return {
      at: this.#clock.now(),
      cpu: { ...cpu, ...host },
      memory: group.memory(statText),
      processes: parseNumber(group.pids('pids.current')) ?? 0,
      processesLimit: parseNumber(group.pids('pids.max')) ?? Infinity,
      blockIo: group.blockIo(),
      interfaces: interfacesOf(target),
    };
  }
}

function legacyGroup({ legacy }: CgroupMounts, path: string): Group {
  const read = (controller: string, file: string): string | undefined => {
    const root = legacy.get(controller);
    return root === undefined ? undefined : readKernelFile(join(root, path, file));
  };
  const memory = legacy.get('memory');
  return {
    cpu: () => legacyCpu(read),
    memory: (statText) => legacyMemory(read, statText),
    blockIo: () => legacyBlockIo(read),
    memoryStatPath: memory === undefined ? undefined : join(memory, path, 'memory.stat'),
    pids: (file) => read('pids', file),
  };
}

function unifiedGroup({ unified = '' }: CgroupMounts, path: string): Group {
  const read = (file: string): string | undefined => readKernelFile(join(unified, path, file));
  return {
    cpu: () => unifiedCpu(read),
    memory: (statText) => unifiedMemory(read, statText),
    blockIo: () => unifiedBlockIo(read),
    memoryStatPath: join(unified, path, 'memory.stat'),
    pids: read,
  };
}

function interfacesOf({ process, ownNetwork }: UsageTarget): UsageSample['interfaces'] {
  if (!ownNetwork) return [];
  const text = readKernelFile(`/proc/${process.pid}/net/dev`);
  // Asked afterwards: another process with its pid would have other interfaces.
  return text === undefined || processPresence(process) !== 'running' ? [] : parseInterfaces(text);
}
