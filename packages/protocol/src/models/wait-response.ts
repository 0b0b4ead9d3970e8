/** When a wait ends. Source: moby api/types/container/waitresponse.go, WaitCondition. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed';

/** Answer to `POST /containers/{id}/wait`. */
export interface WaitResponse {
  readonly StatusCode: number;
  /** Why there is no exit code of the program. Left out when there is one. */
  readonly Error?: { readonly Message: string };
}
