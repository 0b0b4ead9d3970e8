import { API_VERSION } from '@fairlead/protocol';
import type { ResponseHeaders } from './exchange.ts';

/** Text of the `Server` header: `Fairlead/0.1.0 (linux)`. */
export function serverHeader(engineVersion: string): string {
  return `Fairlead/${engineVersion} (linux)`;
}

/** The headers of every routed response, in Docker's order. Source: engine-api 1.2. */
export function engineHeaders(server: string): ResponseHeaders {
  return { 'Api-Version': API_VERSION, 'Docker-Experimental': 'false', Ostype: 'linux', Server: server };
}

/** Docker leaves `Docker-Experimental` out when it refuses a version. Source: engine-api 1.2. */
export function versionRefusedHeaders(server: string): ResponseHeaders {
  return { 'Api-Version': API_VERSION, Ostype: 'linux', Server: server };
}

/** Compared by equality in Go's client: a charset would make it print raw JSON. Source: docker client, request.go. */
export const JSON_TYPE = 'application/json';
/** As Go's http.Error writes it. */
export const TEXT_TYPE = 'text/plain; charset=utf-8';
