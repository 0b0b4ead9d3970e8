import * as v from 'valibot';
import {
  boolField,
  goInt,
  goList,
  goStruct,
  orElse,
  textField,
  textsOrNull,
  type WireSchema,
} from '../codec/go-schema.ts';
import type { ConsoleSize } from './host-config.ts';

/** The body of `POST /containers/{id}/exec`. */
export interface ExecConfig {
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
  /** Null or empty is refused by the engine: `No exec command specified`. A plain text is refused here. */
  readonly Cmd: readonly string[] | null;
  /** Added to the container's, winning over it. */
  readonly Env: readonly string[] | null;
  /** Empty: the container's. */
  readonly User: string;
  /** Empty: the container's. */
  readonly WorkingDir: string;
  readonly Privileged: boolean;
  /** Empty: ctrl-p,ctrl-q. */
  readonly DetachKeys: string;
  /** Says nothing: start has its own. */
  readonly Detach: boolean;
  /** Since API 1.42; null when not given. */
  readonly ConsoleSize: ConsoleSize | null;
}

/** The body of `POST /exec/{id}/start`. An empty body is all false. */
export interface ExecStart {
  readonly Detach: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize: ConsoleSize | null;
}

/** Answer to an exec create. */
export interface ExecCreateResponse {
  readonly Id: string;
}

const consoleSizeOrNull: v.GenericSchema<unknown, ConsoleSize | null> = v.pipe(
  orElse(goList(goInt('uint')), null),
  v.transform((size): ConsoleSize | null => (size === null ? null : [size[0] ?? 0, size[1] ?? 0])),
);

export const execConfigSchema: WireSchema<ExecConfig> = goStruct<ExecConfig>('ExecOptions', {
  AttachStdin: boolField,
  AttachStdout: boolField,
  AttachStderr: boolField,
  Tty: boolField,
  Cmd: textsOrNull,
  Env: textsOrNull,
  User: textField,
  WorkingDir: textField,
  Privileged: boolField,
  DetachKeys: textField,
  Detach: boolField,
  ConsoleSize: consoleSizeOrNull,
});

export const execStartSchema: WireSchema<ExecStart> = goStruct<ExecStart>('ExecStartOptions', {
  Detach: boolField,
  Tty: boolField,
  ConsoleSize: consoleSizeOrNull,
});
