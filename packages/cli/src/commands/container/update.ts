import { parseMemory } from '@fairlead/protocol';
import type { UpdateRequest } from '@fairlead/client';
import { atLeast, type Command } from '../../command.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { integer, parsed, text } from '../../flags/flag-types.ts';
import { forEach } from '../each.ts';
import { cpusToNanos } from './run-values.ts';

/** `fairlead update` */
export const updateCommand: Command = {
  name: 'update',
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Update configuration of one or more containers',
  args: atLeast(1),
  define(flags) {
    const request = requestFlags(flags);
    return async (context, refs) => {
      const body = request();
      if (Object.keys(body).length === 0) {
        throw new ExitError(EXIT_FAILURE, 'you must provide one or more flags when using this command');
      }
      const client = await context.client();
      const warnings: string[] = [];
      const exitCode = await forEach(context, refs, async (ref) => {
        warnings.push(...((await client.containers.update(ref, body)).Warnings ?? []));
        return ref;
      });
      for (const warning of warnings) await context.out(`${warning}\n`);
      return exitCode;
    };
  },
};

/** What was typed, and nothing else: what is left out stays as it is. */
function requestFlags(flags: FlagSet): () => UpdateRequest {
  const weight = flags.add(
    'blkio-weight',
    'Block IO (relative weight), between 10 and 1000, or 0 to disable',
    integer(),
  );
  const cpuPeriod = flags.add('cpu-period', 'Limit CPU CFS (Completely Fair Scheduler) period', integer());
  const cpuQuota = flags.add('cpu-quota', 'Limit CPU CFS (Completely Fair Scheduler) quota', integer());
  const rtPeriod = flags.add('cpu-rt-period', 'Limit the CPU real-time period in microseconds', integer());
  const rtRuntime = flags.add('cpu-rt-runtime', 'Limit the CPU real-time runtime in microseconds', integer());
  const cpuShares = flags.add('cpu-shares,c', 'CPU shares (relative weight)', integer());
  const cpus = flags.add('cpus', 'Number of CPUs', parsed('decimal', cpusToNanos));
  const cpuset = flags.add('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)', text());
  const mems = flags.add('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)', text());
  const memory = flags.add('memory,m', 'Memory limit', parsed('bytes', parseMemory));
  const reservation = flags.add('memory-reservation', 'Memory soft limit', parsed('bytes', parseMemory));
  const swap = flags.add(
    'memory-swap',
    "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
    parsed('bytes', (typed) => (typed === '-1' ? -1 : parseMemory(typed))),
  );
  const pids = flags.add('pids-limit', 'Tune container pids limit (set -1 for unlimited)', integer());
  const restart = flags.add('restart', 'Restart policy to apply when a container exits', text());
  return () => {
    const [policy = '', retries = '0'] = restart.value.split(':');
    return {
      ...(weight.given ? { BlkioWeight: weight.value } : {}),
      ...(cpuPeriod.given ? { CpuPeriod: cpuPeriod.value } : {}),
      ...(cpuQuota.given ? { CpuQuota: cpuQuota.value } : {}),
      ...(rtPeriod.given ? { CpuRealtimePeriod: rtPeriod.value } : {}),
      ...(rtRuntime.given ? { CpuRealtimeRuntime: rtRuntime.value } : {}),
      ...(cpuShares.given ? { CpuShares: cpuShares.value } : {}),
      ...(cpus.given ? { NanoCpus: cpus.value } : {}),
      ...(cpuset.given ? { CpusetCpus: cpuset.value } : {}),
      ...(mems.given ? { CpusetMems: mems.value } : {}),
      ...(memory.given ? { Memory: memory.value } : {}),
      ...(reservation.given ? { MemoryReservation: reservation.value } : {}),
      ...(swap.given ? { MemorySwap: swap.value } : {}),
      ...(pids.given ? { PidsLimit: pids.value } : {}),
      ...(restart.given ? { RestartPolicy: { Name: policy, MaximumRetryCount: Number(retries) } } : {}),
    };
  };
}
