import * as v from 'valibot';
import { variantBy } from './variant-by.ts';

/** Limits of what a command may carry. A message of NATS holds 1 MiB; this leaves room around it. */
export const COMMAND_BYTES_MAX: number = 512 * 1024;
/** Arguments of an exec, and their length together. Source: the kernel's own limit is 2 MiB for both. */
export const ARGV_COUNT_MAX = 1_000;
/** Names, signals, references: what a person types. */
const TEXT_MAX = 1_024;
/** Characters that a key may have: a UUID, a build number, a path in a pipeline. */
export const KEY_CHARACTERS_MAX = 200;

const text = v.pipe(v.string(), v.minLength(1), v.maxLength(TEXT_MAX));
const graceMs = v.optional(v.nullable(v.pipe(v.number(), v.finite(), v.minValue(0))));
const argv = v.pipe(v.array(v.pipe(v.string(), v.maxLength(128 * 1024))), v.minLength(1), v.maxLength(ARGV_COUNT_MAX));

/**
 * What a host may be asked to do and keep on record: a closed list, arguments as they are, never a shell's.
 *
 * `container` is a name, an id or a unique prefix of one. `graceMs` null waits without end; absent takes the container's own.
 */
export type FleetCommand =
  | {
      readonly verb: 'create';
      readonly name?: string | undefined;
      /** The engine API's create body; the engine checks it. */
      readonly body: Readonly<Record<string, unknown>>;
      /** Started as well. */
      readonly start?: boolean | undefined;
    }
  | { readonly verb: 'start'; readonly container: string }
  | {
      readonly verb: 'stop' | 'restart';
      readonly container: string;
      readonly graceMs?: number | null | undefined;
      readonly signal?: string | undefined;
    }
  | { readonly verb: 'kill'; readonly container: string; readonly signal?: string | undefined }
  | {
      readonly verb: 'remove';
      readonly container: string;
      readonly force?: boolean | undefined;
      readonly volumes?: boolean | undefined;
    }
  | { readonly verb: 'pause' | 'unpause'; readonly container: string }
  | { readonly verb: 'rename'; readonly container: string; readonly name: string }
  | {
      readonly verb: 'exec';
      readonly container: string;
      readonly argv: readonly string[];
      readonly env?: readonly string[] | undefined;
      readonly user?: string | undefined;
      readonly workingDir?: string | undefined;
      /** Sent to the program; then its input ends. */
      readonly stdin?: string | undefined;
    }
  | { readonly verb: 'pull'; readonly image: string }
  /** Does nothing on the host, with everything around it: how long the way takes. */
  | { readonly verb: 'noop' };

/** Every verb of a command. */
export type FleetVerb = FleetCommand['verb'];

const container = text;

const commands = [
  v.object({
    verb: v.literal('create'),
    name: v.optional(text),
    body: v.record(v.string(), v.unknown()),
    start: v.optional(v.boolean()),
  }),
  v.object({ verb: v.literal('start'), container }),
  v.object({ verb: v.picklist(['stop', 'restart']), container, graceMs, signal: v.optional(text) }),
  v.object({ verb: v.literal('kill'), container, signal: v.optional(text) }),
  v.object({
    verb: v.literal('remove'),
    container,
    force: v.optional(v.boolean()),
    volumes: v.optional(v.boolean()),
  }),
  v.object({ verb: v.picklist(['pause', 'unpause']), container }),
  v.object({ verb: v.literal('rename'), container, name: text }),
  v.object({
    verb: v.literal('exec'),
    container,
    argv,
    env: v.optional(v.pipe(v.array(v.string()), v.maxLength(ARGV_COUNT_MAX))),
    user: v.optional(text),
    workingDir: v.optional(text),
    stdin: v.optional(v.pipe(v.string(), v.maxLength(256 * 1024))),
  }),
  v.object({ verb: v.literal('pull'), image: text }),
  v.object({ verb: v.literal('noop') }),
] as const;

/** Checks a command that came from outside. Unknown fields are dropped, unknown verbs refused. */
export const fleetCommandSchema: v.GenericSchema<unknown, FleetCommand> = variantBy('verb', commands);

/** The container a command is about, which decides its lane; undefined: none, or one that is yet to be made. */
export function commandTarget(command: FleetCommand): string | undefined {
  return 'container' in command ? command.container : undefined;
}
