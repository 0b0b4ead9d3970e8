import { EngineError } from '@fairlead/protocol';
import { lockFile, makeDirectory, readFileBounded, readTextIfExists } from '../../host/files.ts';
import { freeSubnets, parseNameservers, parseRoutes } from './host-routes.ts';
import { formatSubnet, type Subnet } from './ipv4.ts';

/** A thousand routes are 130 KB. Our own figure. */
const ROUTE_FILE_BYTES_MAX: number = 4 * 1024 * 1024;

/** glibc reads three nameservers. Our own figure. */
const RESOLV_CONF_BYTES_MAX: number = 256 * 1024;

export interface SubnetRequest {
  readonly interfaceName: string;
  /** Taken as it is when given; else the first candidate that is free. */
  readonly subnet: Subnet | undefined;
  /**
   * Directory of lock files, one per subnet, the same for all engines of a host: two engines that start together must
   * not choose the same subnet, since neither has made its bridge yet.
   */
  readonly claimDirectory: string;
}

/** A subnet that no other engine of this host will choose until this is disposed or the engine ends. */
export interface SubnetClaim extends AsyncDisposable {
  readonly subnet: Subnet;
}

/**
 * Chooses the bridge's subnet: the one its interface has already, else the one asked for, else the first free one.
 *
 * @throws EngineError 'unavailable' when every candidate collides with a route of the host, or 'conflict' when another
 *   engine holds the subnet that was asked for.
 */
export async function claimSubnet(request: SubnetRequest): Promise<SubnetClaim> {
  await makeDirectory(request.claimDirectory);
  const routes = parseRoutes((await readFileBounded('/proc/net/route', ROUTE_FILE_BYTES_MAX)).toString('latin1'));
  const own = routes.find((route) => route.interfaceName === request.interfaceName && route.subnet.prefixLength < 32);
  const fixed = own?.subnet ?? request.subnet;
  if (fixed !== undefined) {
    const claim = await tryClaim(request.claimDirectory, fixed);
    if (claim !== undefined) return claim;
    throw new EngineError('conflict', `another engine of this host uses the subnet ${formatSubnet(fixed)}`);
  }
  const nameservers = parseNameservers((await readTextIfExists('/etc/resolv.conf', RESOLV_CONF_BYTES_MAX)) ?? '');
  for (const candidate of freeSubnets(routes, nameservers)) {
    const claim = await tryClaim(request.claimDirectory, candidate);
    if (claim !== undefined) return claim;
  }
  throw new EngineError(
    'unavailable',
    'could not find an available, non-overlapping IPv4 address pool for the default bridge',
  );
}

async function tryClaim(directory: string, subnet: Subnet): Promise<SubnetClaim | undefined> {
  const lock = await lockFile(`${directory}/${formatSubnet(subnet).replace('/', '_')}.lock`);
  if (lock === undefined) return undefined;
  return { subnet, [Symbol.asyncDispose]: () => Promise.resolve(lock[Symbol.asyncDispose]()) };
}
