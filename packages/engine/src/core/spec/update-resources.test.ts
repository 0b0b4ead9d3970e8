import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeBody,
  updateContainerBodySchema,
  type Resources,
  type UpdateContainerBodyInput,
} from '@fairlead/protocol';
import type { OciResources } from './oci.ts';
import { updateResources } from './update-resources.ts';

const MB = 1024 * 1024;

function resources(fields: UpdateContainerBodyInput): Resources {
  return decodeBody(updateContainerBodySchema, JSON.stringify(fields));
}

describe('updateResources', () => {
  const cases: readonly {
    readonly name: string;
    readonly had?: UpdateContainerBodyInput;
    readonly asked: UpdateContainerBodyInput;
    readonly merged: Partial<Resources>;
    readonly applied: OciResources;
  }[] = [
    { name: 'nothing is changed by nothing', asked: {}, merged: {}, applied: {} },
    {
      name: 'memory goes with the swap it has',
      had: { Memory: 50 * MB, MemorySwap: 100 * MB },
      asked: { Memory: 60 * MB },
      merged: { Memory: 60 * MB },
      applied: { memory: { limit: 60 * MB, swap: 100 * MB } },
    },
    {
      name: 'swap goes with the memory it has, and -1 is no limit',
      had: { Memory: 50 * MB, MemorySwap: 100 * MB },
      asked: { MemorySwap: -1 },
      merged: { MemorySwap: -1 },
      applied: { memory: { limit: 50 * MB, swap: -1 } },
    },
    {
      name: 'a reservation goes alone',
      had: { Memory: 50 * MB, MemorySwap: 100 * MB },
      asked: { MemoryReservation: 20 * MB },
      merged: { MemoryReservation: 20 * MB },
      applied: { memory: { reservation: 20 * MB } },
    },
    {
      name: 'a quota goes with the period it has',
      had: { CpuPeriod: 50_000 },
      asked: { CpuQuota: 25_000 },
      merged: { CpuQuota: 25_000 },
      applied: { cpu: { period: 50_000, quota: 25_000 } },
    },
    {
      name: 'a quota is lifted by -1',
      had: { CpuPeriod: 50_000, CpuQuota: 25_000 },
      asked: { CpuQuota: -1 },
      merged: { CpuQuota: -1 },
      applied: { cpu: { period: 50_000, quota: -1 } },
    },
    {
      name: 'fractions of a CPU are a quota',
      had: { NanoCpus: 1e9 },
      asked: { NanoCpus: 5e8 },
      merged: { NanoCpus: 5e8 },
      applied: { cpu: { period: 100_000, quota: 50_000 } },
    },
    {
      name: 'shares and CPUs go alone',
      had: { CpuQuota: 25_000, CpusetMems: '0' },
      asked: { CpuShares: 512, CpusetCpus: '1' },
      merged: { CpuShares: 512, CpusetCpus: '1' },
      applied: { cpu: { shares: 512, cpus: '1' } },
    },
    {
      name: 'a limit of processes is set',
      asked: { PidsLimit: 7 },
      merged: { PidsLimit: 7 },
      applied: { pids: { limit: 7 } },
    },
    {
      name: 'a limit of processes is lifted by 0',
      had: { PidsLimit: 7 },
      asked: { PidsLimit: 0 },
      merged: { PidsLimit: 0 },
      applied: { pids: { limit: -1 } },
    },
    {
      name: 'a limit of processes stays without a word',
      had: { PidsLimit: 7 },
      asked: { CpuShares: 2 },
      merged: { PidsLimit: 7, CpuShares: 2 },
      applied: { cpu: { shares: 2 } },
    },
  ];
  for (const { name, had = {}, asked, merged, applied } of cases) {
    it(name, () => {
      const current = resources(had);
      const updated = updateResources(current, resources(asked));
      assert.deepEqual({ ...current, ...updated.merged }, { ...current, ...merged });
      assert.deepEqual(withoutEmpty(updated.applied), applied);
    });
  }

  const conflicts: readonly {
    readonly had: UpdateContainerBodyInput;
    readonly asked: UpdateContainerBodyInput;
    readonly words: RegExp;
  }[] = [
    {
      had: { CpuPeriod: 5_000 },
      asked: { NanoCpus: 1 },
      words: /^Conflicting options: Nano CPUs cannot be updated as CPU Period/,
    },
    {
      had: { CpuQuota: 5_000 },
      asked: { NanoCpus: 1 },
      words: /^Conflicting options: Nano CPUs cannot be updated as CPU Quota/,
    },
    {
      had: { NanoCpus: 1 },
      asked: { CpuPeriod: 5_000 },
      words: /^Conflicting options: CPU Period cannot be updated as NanoCPUs/,
    },
    {
      had: { NanoCpus: 1 },
      asked: { CpuQuota: 5_000 },
      words: /^Conflicting options: CPU Quota cannot be updated as NanoCPUs/,
    },
    { had: {}, asked: { Memory: 50 * MB }, words: /^Memory limit should be smaller than already set memoryswap limit/ },
    { had: { Memory: 9 * MB, MemorySwap: 18 * MB }, asked: { Memory: 19 * MB }, words: /memoryswap/ },
  ];
  for (const { had, asked, words } of conflicts) {
    it(`refuses ${JSON.stringify(asked)} over ${JSON.stringify(had)}`, () => {
      assert.throws(() => updateResources(resources(had), resources(asked)), { kind: 'conflict', message: words });
    });
  }
});

function withoutEmpty(applied: OciResources): OciResources {
  return Object.fromEntries(Object.entries(applied).filter(([, group]) => Object.keys(group as object).length > 0));
}
