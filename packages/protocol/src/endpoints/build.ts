import type { ShapeOf } from '../codec/query.ts';
import * as scalar from '../codec/scalars.ts';
import { bytesBody, type BytesBody, type Endpoint, type JsonStreamResponse } from '../endpoint.ts';
import type { StringMap } from '../codec/go-schema.ts';
import type { ProgressMessage } from '../models/progress-message.ts';

/** How an image is built. Sizes are bytes. */
export interface BuildImageQuery {
  /** Within the context; absent: `Dockerfile`. */
  readonly dockerfile?: string;
  /** Names of the image, with or without tags. */
  readonly t?: readonly string[];
  /** A Git repository or an archive that the engine fetches, instead of the body. */
  readonly remote?: string;
  /** Says the image's id and no more. */
  readonly q?: boolean;
  readonly nocache?: boolean;
  /** Images whose layers may be taken instead of running a step. */
  readonly cachefrom?: readonly string[];
  /** Pulls the base images also when they are there. */
  readonly pull?: boolean;
  /** Removes the containers of the steps after a success; true when absent. */
  readonly rm?: boolean;
  /** Also after a failure. */
  readonly forcerm?: boolean;
  readonly memory?: number;
  /** Memory and swap together; -1: no limit. */
  readonly memswap?: number;
  readonly cpushares?: number;
  readonly cpusetcpus?: string;
  readonly cpuperiod?: number;
  readonly cpuquota?: number;
  readonly shmsize?: number;
  /** Stand in the request line, as Docker wants them: no place for secrets. */
  readonly buildargs?: StringMap<string | null>;
  readonly labels?: StringMap<string>;
  readonly squash?: boolean;
  readonly networkmode?: string;
  readonly platform?: string;
  /** Stage of the Dockerfile to stop after. */
  readonly target?: string;
  /** `HOST:ADDRESS` */
  readonly extrahosts?: readonly string[];
}

/** Images out of Dockerfiles. */
export interface BuildEndpoints {
  /** The body is the context, a tar. Failures after the first line come in the stream, with status 200. */
  readonly build: Endpoint<ShapeOf<BuildImageQuery>, BytesBody, JsonStreamResponse<ProgressMessage>>;
}

/** Images out of Dockerfiles, with the classic builder. Source: Docker Engine API 1.44 reference, ImageBuild. */
export const buildEndpoints: BuildEndpoints = {
  build: {
    method: 'POST',
    path: '/build',
    query: {
      dockerfile: scalar.text,
      t: scalar.list,
      remote: scalar.text,
      q: scalar.bool,
      nocache: scalar.bool,
      cachefrom: scalar.json(isTexts),
      pull: scalar.bool,
      rm: scalar.boolDefaultTrue,
      forcerm: scalar.bool,
      memory: scalar.int,
      memswap: scalar.int,
      cpushares: scalar.int,
      cpusetcpus: scalar.text,
      cpuperiod: scalar.int,
      cpuquota: scalar.int,
      shmsize: scalar.int,
      buildargs: scalar.json(isTextsOrNulls),
      labels: scalar.json(isTextMap),
      squash: scalar.bool,
      networkmode: scalar.text,
      platform: scalar.text,
      target: scalar.text,
      extrahosts: scalar.list,
    },
    body: bytesBody,
    response: { kind: 'json-stream' },
    success: [200],
    notServed: true,
  },
};

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isTextMap(value: unknown): value is StringMap<string> {
  return isTextsOrNulls(value) && Object.values(value).every((text) => text !== null);
}

function isTextsOrNulls(value: unknown): value is StringMap<string | null> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((text) => text === null || typeof text === 'string');
}
