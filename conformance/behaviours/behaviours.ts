import { attachments } from './attach.ts';
import { commands } from './commands.ts';
import { conventions } from './conventions.ts';
import { creation } from './create.ts';
import { execs } from './exec.ts';
import type { Behaviours } from './shown.ts';
import { states } from './states.ts';
import { surface } from './surface.ts';
import { verbs } from './verbs.ts';
import { wait } from './wait.ts';

/** Every statement of docs/engine-api.md, sections 1 to 8, with what shows it. */
export const BEHAVIOURS: Behaviours = {
  ...conventions,
  ...states,
  ...verbs,
  ...wait,
  ...execs,
  ...attachments,
  ...commands,
  ...surface,
  ...creation,
};
