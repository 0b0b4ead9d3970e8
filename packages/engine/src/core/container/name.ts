import { randomInt } from 'node:crypto';
import { EngineError } from '@fairlead/protocol';

/** Source: moby daemon/names/names.go, RestrictedNamePattern. */
const NAME = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * The name without its leading slash.
 * @throws EngineError 'invalid-argument' in Docker's words.
 */
export function validName(text: string): string {
  if (!NAME.test(text)) {
    throw new EngineError(
      'invalid-argument',
      `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
  return text.startsWith('/') ? text.slice(1) : text;
}

/** A name nobody has yet, of the form `adjective_noun`; a number is added when the words run out. */
export function generateName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const words = `${pick(ADJECTIVES)}_${pick(NOUNS)}`;
    const name = attempt < 10 ? words : `${words}${randomInt(10 ** Math.min(attempt - 9, 9))}`;
    if (!isTaken(name)) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}

const ADJECTIVES: readonly string[] = (
  'agile amber ancient bold brave breezy bright brisk calm candid careful cheerful clever coastal copper crisp daring deft ' +
  'eager early earnest fair faithful fearless fleet fond gentle gifted golden grand hardy hearty honest humble jolly keen ' +
  'kind lively lucid lucky merry mellow mighty modest nimble noble patient placid plucky polite proud quick quiet rapid ready ' +
  'robust rosy salty serene sharp silent silver sincere sleek smart sober solid spry steady sturdy sunny swift tidy ' +
  'trusty upbeat valiant vivid warm watchful wise witty young zesty'
).split(' ');

const NOUNS: readonly string[] = (
  'albatross anchor atoll barge bay beacon boom bosun bow bowline breaker breeze brig buoy cabin canoe cape capstan cleat ' +
  'clipper compass coral cove crest current cutter deck dinghy dock dolphin dory drift eddy ebb fender ferry fjord foam frigate ' +
  'galley gannet gull gunwale halyard harbor hatch heron hull inlet islet jetty jib keel ketch knot lagoon lantern ledger ' +
  'lighthouse lugger marina marlin mast mizzen moor narwhal oar orca osprey otter pelican petrel pier pilot plover port prow ' +
  'quay raft reef rigging rudder sail schooner seal sextant shoal skiff sloop sonar sound spar spray squall starboard stern ' +
  'strait swell tern tide tiller topsail trawler tugboat wake walrus watch wave wharf winch windlass yawl'
).split(' ');
