import {
  type BuildEndpoints,
  buildEndpoints,
  type ProgressMessage,
  type QueryOf,
  type StringMap,
} from '@fairlead/protocol';
import { field } from '../endpoint/docker-config.ts';
import { encodeRegistryConfig, type RegistryLogin } from '../registry/registry-login.ts';
import { builtImage } from '../transfer/progress-words.ts';
import type { TransferPlan } from '../transfer/transfer.ts';
import { type ClientDeps, type Listening, signalOf } from './group.ts';
import { progressOf } from './image-transfers.ts';

/** A directory's path, or a tar. */
export type BuildContext = string | AsyncIterable<Uint8Array>;

export interface BuildOptions extends Listening {
  /** Names of the image, with or without tags. */
  readonly tags?: readonly string[] | undefined;
  /** Within the context; absent: `Dockerfile`. */
  readonly dockerfile?: string | undefined;
  /** Values of `ARG`. They stand in the request line and in the image's history: no place for secrets. */
  readonly buildArgs?: StringMap<string | null> | undefined;
  readonly labels?: StringMap<string> | undefined;
  /** Stage to stop after. */
  readonly target?: string | undefined;
  readonly platform?: string | undefined;
  readonly noCache?: boolean | undefined;
  /** Pulls base images also when they are there. */
  readonly pull?: boolean | undefined;
  /** Images whose layers may be taken instead of running a step. */
  readonly cacheFrom?: readonly string[] | undefined;
  /** Of the steps' containers. */
  readonly networkMode?: string | undefined;
  /** `HOST:ADDRESS`, for the steps' containers. */
  readonly extraHosts?: readonly string[] | undefined;
  readonly memoryBytes?: number | undefined;
  readonly shmBytes?: number | undefined;
  /** Says the id and no more. */
  readonly quiet?: boolean | undefined;
  /** Removes the steps' containers after a success; true when absent. */
  readonly removeContainers?: boolean | undefined;
  /** Also after a failure. */
  readonly alwaysRemoveContainers?: boolean | undefined;
  /** Logins by registry, for base images. Absent: those that Docker's CLI keeps. */
  readonly auth?: ReadonlyMap<string, RegistryLogin> | undefined;
}

export interface BuildResult {
  /** Undefined when the engine does not say. */
  readonly imageId: string | undefined;
}

/** Builds an image. */
export function buildImage(deps: ClientDeps, context: BuildContext, options: BuildOptions): TransferPlan<BuildResult> {
  const signal = signalOf(options);
  let imageId: string | undefined;
  const open = async function* open(): AsyncGenerator<ProgressMessage, void, undefined> {
    const logins = options.auth ?? (await (await deps.logins()).all(signal));
    const headers = { 'X-Registry-Config': encodeRegistryConfig(logins) };
    const bytes = typeof context === 'string' ? await packed(context, options.dockerfile) : context;
    const asked = { operation: 'build', query: queryOf(options), headers, bytes, signal };
    yield* progressOf(deps, buildEndpoints.build, asked);
  };
  return {
    open,
    take: (message) => void (imageId = idIn(message) ?? builtImage(message) ?? imageId),
    result: () => ({ imageId }),
  };
}

/** Loaded by those who build only. */
async function packed(directory: string, dockerfile: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  const { packBuildContext } = await import('../files/build-context.ts');
  return packBuildContext(directory, { dockerfile });
}

function queryOf(options: BuildOptions): QueryOf<BuildEndpoints['build']> {
  return {
    t: options.tags,
    dockerfile: options.dockerfile,
    buildargs: options.buildArgs,
    labels: options.labels,
    target: options.target,
    platform: options.platform,
    nocache: options.noCache,
    pull: options.pull,
    cachefrom: options.cacheFrom,
    networkmode: options.networkMode,
    extrahosts: options.extraHosts,
    memory: options.memoryBytes,
    shmsize: options.shmBytes,
    q: options.quiet,
    rm: options.removeContainers,
    forcerm: options.alwaysRemoveContainers,
  };
}

/** Source: moby builder/dockerfile/builder.go, types.BuildResult. */
function idIn({ aux }: ProgressMessage): string | undefined {
  const id = field(aux, 'ID');
  return typeof id === 'string' ? id : undefined;
}
