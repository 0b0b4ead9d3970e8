import { humanSize, splitVersionPrefix } from '@fairlead/protocol';
import type { Exchange } from './recording.ts';

/** `2.00 s` */
export function exactSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** `17.4 s`, never less than it is: for what has to be enough. */
export function enoughSeconds(ms: number): string {
  return ms === Infinity ? 'without end' : `${(Math.ceil(ms / 100) / 10).toFixed(1)} s`;
}

/** `12 B`, `1.2 kB` */
export function sizeText(bytes: number): string {
  return humanSize(bytes).replace(/(\d)([kMGT]?B)$/, '$1 $2');
}

/** `POST /containers/web/stop?t=2`: without the version, and ids as short as Docker shows them. */
export function requestText({ method, target }: Pick<Exchange, 'method' | 'target'>): string {
  return `${method} ${shortTarget(splitVersionPrefix(target).path)}`;
}

/** Ids of 64 digits become the 12 that Docker shows. */
export function shortTarget(target: string): string {
  return target.replace(/[0-9a-f]{64}/g, (id) => id.slice(0, 12));
}

/** How a person would call it: a name as it is, an id short. */
export function shortRef(ref: string): string {
  return /^[0-9a-f]{64}$/.test(ref) ? ref.slice(0, 12) : ref;
}
