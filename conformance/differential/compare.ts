import { inTwentyEightsWords } from './docker-28.ts';
import { INTENDED, type IntendedDifference } from './intended.ts';
import type { Answer, Step } from './step.ts';

/** One place where two answers differ. */
export interface Difference {
  /** `status`, `content-type`, or the path in the body: `body.State.Pid`. */
  readonly at: string;
  readonly dockerd: unknown;
  readonly fairlead: unknown;
}

/** How two answers to a step compare: what is explained, and what is not. */
export interface Comparison {
  readonly unexplained: readonly Difference[];
  readonly explained: readonly (Difference & { readonly because: string })[];
}

/** Compares an answer of dockerd 20.10, put in the words of 28, with ours. */
export function compare(step: Step, dockerd: Answer, fairlead: Answer): Comparison {
  const expected = inTwentyEightsWords(step, dockerd);
  const found = differencesOf(step, expected, fairlead);
  const explained: (Difference & { because: string })[] = [];
  const unexplained: Difference[] = [];
  for (const difference of found) {
    const reason = INTENDED.find((intended) => explains(intended, step, difference));
    if (reason === undefined) unexplained.push(difference);
    else explained.push({ ...difference, because: reason.because });
  }
  return { unexplained, explained };
}

function differencesOf({ compare: part = 'all' }: Step, expected: Answer, actual: Answer): readonly Difference[] {
  switch (part) {
    case 'status':
      return statusOnly(expected, actual);
    case 'shape':
      return differences({ ...expected, body: shapeOf(expected.body) }, { ...actual, body: shapeOf(actual.body) });
    case 'all':
      return differences(expected, actual);
    default:
      return part satisfies never;
  }
}

/** Names and kinds: of a list that of its first item, of what is absent either way nothing. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (!isObject(value)) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

function explains(intended: IntendedDifference, step: Step, difference: Difference): boolean {
  if (!intended.at.test(difference.at)) return false;
  return intended.target === undefined || intended.target.test(step.target);
}

function statusOnly(expected: Answer, actual: Answer): readonly Difference[] {
  if (expected.status === actual.status) return [];
  return [{ at: 'status', dockerd: expected.status, fairlead: actual.status }];
}

function differences(expected: Answer, actual: Answer): readonly Difference[] {
  const found: Difference[] = [...statusOnly(expected, actual)];
  if (expected.contentType !== actual.contentType) {
    found.push({ at: 'content-type', dockerd: expected.contentType, fairlead: actual.contentType });
  }
  collect('body', [expected.body, actual.body], found);
  return found;
}

function collect(at: string, [expected, actual]: readonly [unknown, unknown], found: Difference[]): void {
  if (Object.is(expected, actual)) return;
  if (isObject(expected) && isObject(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      collect(`${at}.${key}`, [expected[key], actual[key]], found);
    }
    return;
  }
  found.push({ at, dockerd: expected, fairlead: actual });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
