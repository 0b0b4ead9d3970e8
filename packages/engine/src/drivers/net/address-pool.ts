import { EngineError } from '@fairlead/protocol';
import { sizeOf, type Subnet } from './ipv4.ts';

/**
 * The addresses of one subnet: who has which.
 *
 * Hands out the next free one after the last, from the bottom again at the end, so that an address just given back rests
 * as long as possible: somebody may still have it in an ARP cache or a connection table.
 */
export class AddressPool {
  readonly #first: number;
  readonly #last: number;
  readonly #taken = new Map<number, string>();
  readonly #byHolder = new Map<string, number>();
  #next: number;

  /** Network, gateway (the first address) and broadcast are never handed out. */
  constructor(subnet: Subnet) {
    this.#first = subnet.base + 2;
    this.#last = subnet.base + sizeOf(subnet) - 2;
    this.#next = this.#first;
  }

  get takenCount(): number {
    return this.#taken.size;
  }

  /** The same holder gets the same address until he gives it back. @throws EngineError 'unavailable' when there is none left. */
  take(holder: string): number {
    const own = this.#byHolder.get(holder);
    if (own !== undefined) return own;
    if (this.#taken.size >= this.#last - this.#first + 1) {
      throw new EngineError('unavailable', 'no available IPv4 addresses on this network');
    }
    while (this.#taken.has(this.#next)) this.#advance();
    const address = this.#next;
    this.#advance();
    this.#set(holder, address);
    return address;
  }

  /** Notes an address that is in use already; one outside this pool or held by another is left alone. */
  claim(holder: string, address: number): boolean {
    if (address < this.#first || address > this.#last || this.#taken.has(address)) return false;
    this.release(holder);
    this.#set(holder, address);
    if (address >= this.#next) {
      this.#next = address;
      this.#advance();
    }
    return true;
  }

  /** Nothing held is success. */
  release(holder: string): void {
    const address = this.#byHolder.get(holder);
    if (address === undefined) return;
    this.#byHolder.delete(holder);
    this.#taken.delete(address);
  }

  #set(holder: string, address: number): void {
    this.#taken.set(address, holder);
    this.#byHolder.set(holder, address);
  }

  #advance(): void {
    this.#next = this.#next === this.#last ? this.#first : this.#next + 1;
  }
}
