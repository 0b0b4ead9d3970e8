import type { StringMap } from '../codec/go-schema.ts';

export interface VersionComponent {
  readonly Name: string;
  readonly Version: string;
  /** Every value is text, also booleans. */
  readonly Details: StringMap<string>;
}

/** Answer to `GET /version`. */
export interface VersionInfo {
  readonly Platform: { readonly Name: string };
  readonly Components: readonly VersionComponent[];
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
  readonly Experimental?: boolean;
  /** RFC 3339. */
  readonly BuildTime: string;
}
