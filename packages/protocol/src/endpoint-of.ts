import type { Endpoint } from './endpoint.ts';
import { buildEndpoints } from './endpoints/build.ts';
import { containerFileEndpoints } from './endpoints/container-files.ts';
import { containerEndpoints } from './endpoints/containers.ts';
import { execEndpoints } from './endpoints/exec.ts';
import { fairleadEndpoints } from './endpoints/fairlead.ts';
import { imageEndpoints } from './endpoints/images.ts';
import { networkEndpoints } from './endpoints/networks.ts';
import { pruneEndpoints } from './endpoints/prune.ts';
import { registryEndpoints } from './endpoints/registry.ts';
import { resourceEndpoints } from './endpoints/resources.ts';
import { systemEndpoints } from './endpoints/system.ts';
import { volumeEndpoints } from './endpoints/volumes.ts';
import { splitVersionPrefix } from './version.ts';

/** A request, as the endpoint table knows it. */
export interface FoundEndpoint {
  /** Group and row: `container.stop`, `exec.start`. Undefined for what the table does not have. */
  readonly name: string | undefined;
  readonly row: Endpoint | undefined;
  /** The first `{name}` of the path, decoded: which container, exec, image. Empty when it has none. */
  readonly ref: string;
  readonly version: string | undefined;
  /** Without the version and the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

interface Route {
  readonly name: string;
  readonly row: Endpoint;
  readonly pattern: RegExp;
}

const ROUTES: readonly Route[] = [
  ...routesOf('container', containerEndpoints),
  ...routesOf('container', containerFileEndpoints),
  ...routesOf('container', resourceEndpoints),
  ...routesOf('exec', execEndpoints),
  ...routesOf('image', imageEndpoints),
  ...routesOf('network', networkEndpoints),
  ...routesOf('volume', volumeEndpoints),
  ...routesOf('prune', pruneEndpoints),
  ...routesOf('build', buildEndpoints),
  ...routesOf('registry', registryEndpoints),
  ...routesOf('system', systemEndpoints),
  ...routesOf('fairlead', fairleadEndpoints),
  // Rows without a `{name}` first: `/containers/json` is not a container of that name.
].toSorted((a, b) => Number(a.row.path.includes('{')) - Number(b.row.path.includes('{')));

/** Finds the row of the endpoint table that a request line means. Never throws: a target is whatever a client wrote. */
export function endpointOf(method: string, target: string): FoundEndpoint {
  const [whole = '', ...query] = target.split('?');
  const { version, path } = splitVersionPrefix(whole);
  const shared = { version, path, query: new URLSearchParams(query.join('?')) };
  for (const { name, row, pattern } of ROUTES) {
    const match = row.method === method ? pattern.exec(path) : null;
    if (match !== null) return { ...shared, name, row, ref: decoded(match[1] ?? '') };
  }
  return { ...shared, name: undefined, row: undefined, ref: '' };
}

function routesOf(group: string, rows: object): readonly Route[] {
  return Object.entries(rows).map(([key, row]: [string, Endpoint]) => ({
    name: `${group}.${key}`,
    row,
    pattern: new RegExp(
      `^${row.path
        .replaceAll('.', '\\.')
        .replace(/\{[a-z]+(?:\\\.){3}\}/gi, '(.+)')
        .replace(/\{[a-z]+\}/gi, '([^/]+)')}$`,
    ),
  }));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not percent-encoding: then it is meant as it stands.
    return segment;
  }
}
