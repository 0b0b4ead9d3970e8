import type { StringMap } from '../codec/go-schema.ts';

/** One element of the answer to `GET /images/json`. */
export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  /** Unix seconds. */
  readonly Created: number;
  readonly Size: number;
  /** -1: not worked out. */
  readonly SharedSize: number;
  /** Until API 1.43. */
  readonly VirtualSize?: number;
  readonly Labels: StringMap<string> | null;
  /** -1: not worked out. */
  readonly Containers: number;
}

/** One element of the answer to `GET /images/{name}/history`, newest first. */
export interface ImageHistoryEntry {
  /** `<missing>` for all but the newest. */
  readonly Id: string;
  /** Unix seconds. */
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** One element of the answer to `DELETE /images/{name}`: exactly one of both. */
export type ImageDeleted = { readonly Untagged: string } | { readonly Deleted: string };
