import { createScenes } from './scenes/create.ts';
import { effectScenes } from './scenes/effects.ts';
import { execScenes } from './scenes/exec.ts';
import { imageScenes } from './scenes/images.ts';
import { lifeScenes } from './scenes/life.ts';
import { refusalScenes } from './scenes/refusals.ts';
import { stateScenes } from './scenes/states.ts';
import { streamScenes } from './scenes/streams.ts';
import type { Scene } from './step.ts';

/** Everything that both engines are asked. */
export const SCENES: readonly Scene[] = [
  ...stateScenes,
  ...refusalScenes,
  ...createScenes,
  ...effectScenes,
  ...execScenes,
  ...streamScenes,
  ...imageScenes,
  ...lifeScenes,
];
