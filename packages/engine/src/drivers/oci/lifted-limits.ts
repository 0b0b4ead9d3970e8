import type { LiftedLimit } from '../../core/ports/cgroups.ts';
import type { OciResources } from '../../core/spec/oci.ts';

/**
 * Splits an update into what the runtime is told and the limits that go, which are taken away without it: crun 1.8 writes OCI's -1
 * into the file as it is, or as a number of 64 bits without a sign, and the kernel refuses both.
 */
export function withoutLifted(resources: OciResources): {
  readonly kept: OciResources;
  readonly lifted: readonly LiftedLimit[];
} {
  const { pids, cpu, ...others } = resources;
  const { quota, ...otherCpu } = cpu ?? {};
  const [noPids, noQuota] = [pids !== undefined && pids.limit < 0, quota !== undefined && quota < 0];
  return {
    kept: {
      ...others,
      ...(pids === undefined || noPids ? {} : { pids }),
      ...(cpu === undefined ? {} : { cpu: noQuota ? otherCpu : cpu }),
    },
    lifted: [...(noPids ? (['pids'] as const) : []), ...(noQuota ? (['cpu-quota'] as const) : [])],
  };
}
