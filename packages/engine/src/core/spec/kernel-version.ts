/** Of a Linux kernel; what follows the second number says nothing about what it can do. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** Whether a kernel has what came with `minimum`. */
export function atLeast(kernel: KernelVersion, minimum: KernelVersion): boolean {
  return kernel.major !== minimum.major ? kernel.major > minimum.major : kernel.minor >= minimum.minor;
}
