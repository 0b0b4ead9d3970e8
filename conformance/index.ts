// What the conformance suites know, for whoever writes it down: see tools/make-compatibility.ts.
export { BEHAVIOURS } from './behaviours/behaviours.ts';
export type { Behaviour, Behaviours, Proof } from './behaviours/shown.ts';
export { COVERAGE, SINCE, type Coverage, type Shown } from './coverage.ts';
export { INTENDED, type IntendedDifference } from './differential/intended.ts';
export { SCENES } from './differential/scenes.ts';
export type { Scene, Step } from './differential/step.ts';
