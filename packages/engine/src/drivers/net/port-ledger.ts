import type { PublishedPort } from '../../core/ports/network-driver.ts';

/** What takes a port: where on the host it is. */
export type HostPlace = Pick<PublishedPort, 'protocol' | 'hostAddress' | 'hostPort'>;

const ANY_ADDRESS = '0.0.0.0';

/** Which ports of the host are taken: as with sockets, a port taken at all addresses is taken at each. */
export class PortLedger {
  readonly #addresses = new Map<string, string[]>();

  /** @returns false when it is taken already, also by the same caller. */
  take(place: HostPlace): boolean {
    if (this.isTaken(place)) return false;
    const taken = this.#addresses.get(keyOf(place));
    if (taken === undefined) this.#addresses.set(keyOf(place), [place.hostAddress]);
    else taken.push(place.hostAddress);
    return true;
  }

  isTaken(place: HostPlace): boolean {
    const taken = this.#addresses.get(keyOf(place)) ?? [];
    return taken.some(
      (address) => address === place.hostAddress || address === ANY_ADDRESS || place.hostAddress === ANY_ADDRESS,
    );
  }

  /** Not taken is success. */
  giveBack(place: HostPlace): void {
    const left = (this.#addresses.get(keyOf(place)) ?? []).filter((address) => address !== place.hostAddress);
    if (left.length === 0) this.#addresses.delete(keyOf(place));
    else this.#addresses.set(keyOf(place), left);
  }
}

function keyOf({ protocol, hostPort }: HostPlace): string {
  return `${protocol} ${hostPort}`;
}
