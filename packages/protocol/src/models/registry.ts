import { goStruct, textField, type WireSchema } from '../codec/go-schema.ts';

/** Who somebody is to a registry. Secrets: only ever in a body or in `X-Registry-Auth`. */
export interface RegistryAuthBody {
  readonly username: string;
  readonly password: string;
  /** As in `auths` of the docker CLI's configuration; empty: Docker Hub. */
  readonly serveraddress: string;
  /** Instead of a password: what an earlier login gave. */
  readonly identitytoken: string;
}

/** Answer to `POST /auth`. */
export interface RegistryAuthResponse {
  readonly Status: string;
  /** To be kept instead of the password; empty when the registry gives none. */
  readonly IdentityToken: string;
}

/** Answer to `GET /distribution/{name}/json`: what a registry has under a name. */
export interface DistributionInspect {
  readonly Descriptor: {
    readonly mediaType: string;
    readonly digest: string;
    /** Bytes of the manifest. */
    readonly size: number;
  };
  readonly Platforms: readonly {
    readonly architecture: string;
    readonly os: string;
    readonly variant?: string;
  }[];
}

/** One element of the answer to `GET /images/search`. */
export interface ImageSearchResult {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated?: boolean;
}

export const registryAuthBodySchema: WireSchema<RegistryAuthBody> = goStruct<RegistryAuthBody>('AuthConfig', {
  username: textField,
  password: textField,
  serveraddress: textField,
  identitytoken: textField,
});
