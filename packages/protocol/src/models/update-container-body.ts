import {
  goInt,
  goStruct,
  joinEntries,
  intField,
  orElse,
  orEmpty,
  textField,
  type WireInput,
  type WireSchema,
} from '../codec/go-schema.ts';
import { resourcesEntries, type Resources, type RestartPolicy } from './host-config.ts';

/** What to change of a running or resting container. What is 0, empty or null stays as it is. */
export interface UpdateContainerBody extends Resources {
  /** As sent: null keeps the limit, 0 and less take it away. */
  readonly PidsLimit: number | null;
  /** An empty name keeps the policy. */
  readonly RestartPolicy: RestartPolicy;
}

/** What a client may send: everything optional. */
export type UpdateContainerBodyInput = WireInput<UpdateContainerBody>;

export const updateContainerBodySchema: WireSchema<UpdateContainerBody, UpdateContainerBodyInput> =
  goStruct<UpdateContainerBody>(
    'UpdateConfig',
    joinEntries(resourcesEntries, {
      PidsLimit: orElse(goInt('int64'), null),
      RestartPolicy: orEmpty(
        goStruct<RestartPolicy>('RestartPolicy', { Name: textField, MaximumRetryCount: intField }),
      ),
    }),
  );

/** Answer to an update. */
export interface UpdateContainerResponse {
  /** null when there is none. */
  readonly Warnings: readonly string[] | null;
}
