import type { StringMap } from '../codec/go-schema.ts';
import type { ContainerConfig } from './container-config.ts';

/** What containers inherit. Labels are null where there are none. */
export type ImageConfigInspect = Omit<Partial<ContainerConfig>, 'Labels'> & {
  readonly Labels?: StringMap<string> | null;
};

/** Answer to `GET /images/{name}/json`. */
export interface ImageInspect {
  readonly Id: string;
  /** Familiar form. */
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Parent: string;
  readonly Comment: string;
  /** RFC 3339; empty when the image does not say. */
  readonly Created: string;
  /** Until API 1.44. */
  readonly Container?: string;
  /** Until API 1.44. */
  readonly ContainerConfig?: ImageConfigInspect | null;
  readonly DockerVersion: string;
  readonly Author: string;
  readonly Config: ImageConfigInspect | null;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly Size: number;
  /** Until API 1.43. */
  readonly VirtualSize?: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: StringMap<string> | null };
  readonly RootFS: { readonly Type: 'layers'; readonly Layers: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
}
