import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { OciSeccomp, OciSpec } from '../../core/spec/oci.ts';
import { readFileBounded } from '../../host/files.ts';
import { isErrno } from '../../host/errno.ts';

/** crun takes a compiled filter from this annotation, base64, instead of compiling the profile. Source: crun(1). */
const ANNOTATION = 'run.oci.seccomp_bpf_data';
/** Where crun leaves the filter it compiled, in the container's state directory, for its own exec. */
const FILTER_FILE = 'seccomp.bpf';
/** The kernel takes 4,096 instructions of 8 bytes. Source: linux/bpf_common.h, BPF_MAXINSNS. */
const FILTER_BYTES_MAX = 4096 * 8;
/** Profiles remembered; there is one for each set of capabilities in use. */
const FILTERS_MAX = 64;

/**
 * Seccomp filters as crun compiled them, to be given to it again: compiling Docker's profile takes it 25–40 ms, two thirds
 * of a container's start.
 */
export class CompiledFilters {
  readonly #filters = new Map<string, string>();
  readonly #keys = new WeakMap<OciSeccomp, string>();

  /** The spec with the compiled filter, when there is one. The profile stays: crun takes its flags from there. */
  applyTo(spec: OciSpec): OciSpec {
    const { seccomp } = spec.linux;
    const filter = seccomp === undefined ? undefined : this.#filters.get(this.#keyOf(seccomp));
    if (filter === undefined) return spec;
    return { ...spec, annotations: { ...spec.annotations, [ANNOTATION]: filter } };
  }

  /** Remembers what crun compiled for a container that it just made in `stateDirectory`. */
  async learnFrom(spec: OciSpec, stateDirectory: string): Promise<void> {
    const { seccomp } = spec.linux;
    if (seccomp === undefined || this.#filters.has(this.#keyOf(seccomp))) return;
    try {
      const filter = await readFileBounded(join(stateDirectory, FILTER_FILE), FILTER_BYTES_MAX);
      if (filter.length === 0 || filter.length % 8 !== 0) return;
      if (this.#filters.size >= FILTERS_MAX) this.#filters.clear();
      this.#filters.set(this.#keyOf(seccomp), filter.toString('base64'));
    } catch (error) {
      // The container is gone already, or this crun does not leave the file: then each start compiles anew.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  #keyOf(seccomp: OciSeccomp): string {
    const known = this.#keys.get(seccomp);
    if (known !== undefined) return known;
    const key = createHash('sha256').update(JSON.stringify(seccomp)).digest('base64');
    this.#keys.set(seccomp, key);
    return key;
  }
}
