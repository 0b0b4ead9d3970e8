import type { Shown } from '../coverage.ts';

/** What shows a behaviour: a test, or a scene of the differential suite, which dockerd and Fairlead play alike. */
export type Proof = Shown | { readonly scene: string };

/** One statement of docs/engine-api.md, by the words it begins with, and what would fail if it were not so. */
export interface Behaviour {
  readonly says: string;
  readonly shownBy: readonly Proof[];
  /** Instead: why no test can show it, or that it says nothing of the engine. */
  readonly aside?: string;
}

/** Statements by their section. */
export type Behaviours = Readonly<Record<string, readonly Behaviour[]>>;

/** A statement that is shown. */
export function says(start: string, ...shownBy: readonly Proof[]): Behaviour {
  return { says: start, shownBy };
}

/** A statement that is about something else than what the engine does. */
export function aside(start: string, why: string): Behaviour {
  return { says: start, shownBy: [], aside: why };
}

/** A test of `conformance/sessions`. */
export function session(name: string, title: string): Shown {
  return { file: `conformance/sessions/${name}.test.ts`, title };
}

/** A test beside the engine's code. */
export function engine(path: string, title: string): Shown {
  return { file: `packages/engine/src/${path}.test.ts`, title };
}

/** A test beside the protocol's code. */
export function protocol(path: string, title: string): Shown {
  return { file: `packages/protocol/src/${path}.test.ts`, title };
}

/** A scene of `conformance/differential`. */
export function scene(name: string): { readonly scene: string } {
  return { scene: name };
}
