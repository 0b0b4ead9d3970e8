import type { ProgressMessage } from '@fairlead/protocol';

/** How far one layer is: the share of its work that lies behind, and how much of the rest this phase moves through. */
export interface LayerPhase {
  /** 0 to 1. */
  readonly from: number;
  /** 0 to 1; equal to `from` for a phase that does not move. */
  readonly to: number;
}

/** Getting a layer over the network takes longer than unpacking it. */
const FETCHED = 0.75;

/**
 * What engines say of a layer. Source: moby distribution/pull_v2.go, push_v2.go, image/tarexport/load.go; podman
 * pkg/api/handlers/compat/images.go.
 */
const PHASES: Readonly<Record<string, LayerPhase>> = {
  'Pulling fs layer': { from: 0, to: 0 },
  Waiting: { from: 0, to: 0 },
  Downloading: { from: 0, to: FETCHED },
  'Verifying Checksum': { from: FETCHED, to: FETCHED },
  'Download complete': { from: FETCHED, to: FETCHED },
  Extracting: { from: FETCHED, to: 1 },
  'Pull complete': { from: 1, to: 1 },
  'Already exists': { from: 1, to: 1 },
  Preparing: { from: 0, to: 0 },
  Pushing: { from: 0, to: 1 },
  Pushed: { from: 1, to: 1 },
  'Layer already exists': { from: 1, to: 1 },
  'Loading layer': { from: 0, to: 1 },
};

/** What a line says about the layer it names; undefined when that is nothing about its progress. */
export function layerPhase({ id, status = '' }: ProgressMessage): LayerPhase | undefined {
  if (id === undefined) return undefined;
  // `Mounted from library/busybox`: the registry had it under another name.
  return PHASES[status] ?? (status.startsWith('Mounted from ') ? PHASES['Pushed'] : undefined);
}

/** `Step 2/5 : RUN make` of a build: the share of steps that lie behind. Source: moby builder/dockerfile/builder.go. */
export function buildStep({ stream = '' }: ProgressMessage): number | undefined {
  const [, step, steps] = /^Step (\d+)\/(\d+) : /.exec(stream) ?? [];
  return step === undefined || steps === undefined ? undefined : (Number(step) - 1) / Math.max(1, Number(steps));
}

/** `Digest: sha256:…` of a pull. Source: moby distribution/pull_v2.go, pullV2Tag. */
export function pulledDigest({ status = '' }: ProgressMessage): string | undefined {
  return /^Digest: (sha256:[0-9a-f]{64})$/.exec(status)?.[1];
}

/** Names, or ids, of what a load has read; podman says all in one line. Source: moby image/tarexport/load.go. */
export function loadedImages({ stream = '' }: ProgressMessage): readonly string[] {
  const names = /^Loaded image(?:\(s\))?(?: ID)?: (.+?)\s*$/.exec(stream)?.[1];
  return names === undefined ? [] : names.split(/,\s*/);
}

/** An image's id where the engine says no more than that, as at the end of an import. */
export function imageIdIn({ status = '' }: ProgressMessage): string | undefined {
  return /^(?:sha256:)?[0-9a-f]{64}$/.exec(status.trim())?.[0];
}

/** A build's image from what is printed for people, for engines that send no `aux`, and for quiet builds. Source: moby builder/dockerfile/builder.go. */
export function builtImage({ stream = '' }: ProgressMessage): string | undefined {
  return /^(?:Successfully built )?((?:sha256:)?[0-9a-f]{12,64})\s*$/.exec(stream)?.[1];
}
