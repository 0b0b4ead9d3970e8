/**
 * Makes docs/compatibility.md of the endpoint table, of what is not served, and of what the tests show, and docs/engine-api-tests.md of
 * what docs/engine-api.md says: `make compatibility`.
 *
 * With `--check` it writes nothing and fails when a document is not current: the gate's part.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BEHAVIOURS,
  COVERAGE,
  INTENDED,
  SCENES,
  SINCE,
  type Coverage,
  type IntendedDifference,
} from '@fairlead/conformance';
import { NOT_SERVED, type NotServedAnswer } from '@fairlead/engine/not-served';
import * as protocol from '@fairlead/protocol';
import type { Endpoint } from '@fairlead/protocol';
import { checkBehaviours, engineApiTests } from './engine-api-tests.ts';
import { statementsOf } from './engine-api-statements.ts';
import { report, type Finding } from './source-tree.ts';
import { titlesBy, type HasTitle } from './test-titles.ts';

const DOCUMENT = 'docs/compatibility.md';
const TESTS_DOCUMENT = 'docs/engine-api-tests.md';
const COVERAGE_FILE = 'conformance/coverage.ts';

/** Method and path, as in `GET /containers/{id}/json`. */
interface Target {
  readonly method: string;
  readonly path: string;
}

/** What the document is made of. */
export interface Sources {
  readonly endpoints: readonly Endpoint[];
  readonly coverage: Readonly<Record<string, Coverage>>;
  /** Version by target, where it is newer than the oldest. */
  readonly since: Readonly<Record<string, string>>;
  readonly notServed: Readonly<Record<NotServedAnswer, readonly string[]>>;
  /** Targets of the differential suite's requests, as in `GET /containers/web/json?size=1`. */
  readonly compared: readonly string[];
  readonly intended: readonly IntendedDifference[];
}

/** Every row without an endpoint, endpoint without a row, and row whose test is not there. */
export function checkCoverage({ endpoints, coverage, since, notServed }: Sources, has: HasTitle): readonly Finding[] {
  const targets = new Set(endpoints.map(targetOf));
  const known = new Set([...targets, ...Object.values(notServed).flat()]);
  const complain = (message: string): Finding => ({ file: COVERAGE_FILE, line: 1, message });
  return [
    ...[...targets]
      .filter((target) => coverage[target] === undefined)
      .map((target) => complain(`say which test shows ${target}`)),
    ...Object.keys(coverage)
      .filter((target) => !targets.has(target))
      .map((target) => complain(`${target} is not in the endpoint table: take its row out`)),
    ...Object.keys(since)
      .filter((target) => !known.has(target))
      .map((target) => complain(`${target} is neither served nor refused: take its version out`)),
    ...Object.entries(coverage).flatMap(([target, { shownBy }]) =>
      has(shownBy.file, shownBy.title)
        ? []
        : [complain(`${target}: there is no test '${shownBy.title}' in ${shownBy.file}`)],
    ),
  ];
}

/** The document. */
export function compatibility(sources: Sources): string {
  const { endpoints, coverage, compared } = sources;
  const counts = countCompared(endpoints, compared);
  const refused = refusedRows(sources);
  const partly = endpoints.filter((endpoint) => lacksOf(coverage, endpoint).length > 0).length;
  return [
    '# Compatibility',
    '',
    '<!-- Made by `make compatibility`; the gate checks that it is current. What it says is in conformance/coverage.ts. -->',
    '',
    `Fairlead answers as Docker ${protocol.MIN_API_VERSION} to ${protocol.API_VERSION}, in the words of Docker 28. Of Docker's API it serves`,
    `${endpoints.length - partly} endpoints wholly (Fairlead's own among them) and ${partly} in part; ${refused.length} are refused. How each behaves is in`,
    '[engine-api.md](engine-api.md), which test shows it sentence by sentence in [engine-api-tests.md](engine-api-tests.md).',
    '',
    '*Since*: the API version that brought the endpoint, with parameters that are newer. *Compared*: requests of the differential suite,',
    'which asks dockerd and Fairlead the same and lets no difference pass but those listed below.',
    '',
    '## Served',
    '',
    '| endpoint | since | | compared | shown by |',
    '|---|---|---|---:|---|',
    ...endpoints.map((endpoint) => servedRow(endpoint, sources, counts.get(targetOf(endpoint)) ?? 0)),
    '',
    '## What is missing where it says “partly”',
    '',
    ...endpoints.flatMap((endpoint) =>
      lacksOf(coverage, endpoint).map((lack) => `- \`${targetOf(endpoint)}\`: ${lack}`),
    ),
    '',
    '## Refused',
    '',
    '| endpoint | since | answer |',
    '|---|---|---|',
    ...refused,
    '',
    '## Differences that are meant',
    '',
    'Between dockerd 20.10, its answers put into the words of 28, and Fairlead:',
    '',
    '| where | in | why |',
    '|---|---|---|',
    ...sources.intended.map(({ at, target, because }) => `| ${code(at)} | ${code(target)} | ${cell(because)} |`),
    '',
  ].join('\n');
}

function servedRow(endpoint: Endpoint, { coverage, since }: Sources, compared: number): string {
  const target = targetOf(endpoint);
  const start = `| \`${target}\` | ${sinceWords(endpoint, since)}`;
  const row = coverage[target];
  // The check refuses such a document; it is made all the same, so that one can look.
  if (row === undefined) return `${start} | not shown | ${compared || ''} | |`;
  const { file, title } = row.shownBy;
  const verdict = (row.lacks ?? []).length === 0 ? 'done' : 'partly';
  return `${start} | ${verdict} | ${compared || ''} | [${file.replace(/^.*\//, '')}](../${file}): ${cell(title)} |`;
}

function sinceWords(endpoint: Endpoint, since: Sources['since']): string {
  if (endpoint.unversioned === true && endpoint.path.startsWith('/fairlead/')) return 'Fairlead’s own';
  const newer = Object.entries(endpoint.query).flatMap(([name, scalar]) =>
    scalar.since === undefined ? [] : [`\`${name}\` ${scalar.since}`],
  );
  return [since[targetOf(endpoint)] ?? protocol.MIN_API_VERSION, ...newer].join(', ');
}

const ANSWERS: Readonly<Record<NotServedAnswer, string>> = {
  'not-implemented': '501, in clear words',
  'not-a-swarm-manager': '503, as every Docker that is not in a swarm',
  'no-such-network': '404, for clients that look a name up among several kinds',
  'no-such-volume': '404, for clients that look a name up among several kinds',
  'no-such-plugin': '404, for clients that look a name up among several kinds',
  'empty-list': '200, an empty list',
};

/** What the endpoint table does not have, in the order of the answers. */
function refusedRows({ endpoints, notServed, since }: Sources): readonly string[] {
  const served = new Set(endpoints.map(shapeOf));
  return Object.entries(notServed).flatMap(([answer, targets]) =>
    targets
      .filter((target) => !served.has(shapeOf(parsedTarget(target))))
      .map(
        (target) =>
          `| \`${target}\` | ${since[target] ?? protocol.MIN_API_VERSION} | ${ANSWERS[answer as NotServedAnswer]} |`,
      ),
  );
}

function countCompared(endpoints: readonly Endpoint[], compared: readonly string[]): ReadonlyMap<string, number> {
  const rows = endpoints.map((endpoint) => ({ target: targetOf(endpoint), pattern: patternOf(endpoint) }));
  const counts = new Map<string, number>();
  for (const request of compared) {
    const target = rows.find(({ pattern }) => pattern.test(request))?.target;
    if (target !== undefined) counts.set(target, (counts.get(target) ?? 0) + 1);
  }
  return counts;
}

function lacksOf(coverage: Sources['coverage'], endpoint: Endpoint): readonly string[] {
  return coverage[targetOf(endpoint)]?.lacks ?? [];
}

function targetOf({ method, path }: Target): string {
  return `${method} ${path}`;
}

/** The requests of an endpoint. No two rows match the same one: literal parts tell them apart. */
function patternOf({ method, path }: Target): RegExp {
  const source = path.replace(/\{\w+(\.\.\.)?\}/g, (_, rest: string | undefined) =>
    rest === undefined ? '[^/?]+' : '[^?]+',
  );
  return new RegExp(`^${method} ${source}(\\?|$)`);
}

/** Two targets that match the same requests have one shape. */
function shapeOf({ method, path }: Target): string {
  return `${method} ${path.replace(/\{\w+(\.\.\.)?\}/g, '{}')}`;
}

function parsedTarget(target: string): Target {
  const [method = '', path = ''] = target.split(' ');
  return { method, path };
}

function code(pattern: RegExp | undefined): string {
  return pattern === undefined ? 'all' : `\`${cell(pattern.source.replaceAll('\\/', '/'))}\``;
}

function cell(words: string): string {
  return words.replaceAll('|', '\\|');
}

/** Every row that the engine serves, of every endpoint table of the protocol, in their order, each target once: that there are not two is the engine's to check. */
function servedEndpoints(): readonly Endpoint[] {
  const tables = Object.entries(protocol).filter(([name]) => name.endsWith('Endpoints'));
  const rows = tables.flatMap(([, table]) => Object.values(table as unknown as Readonly<Record<string, Endpoint>>));
  const served = rows.filter((row) => row.notServed !== true);
  return [...new Map(served.map((row) => [targetOf(row), row])).values()];
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const read = (file: string): string | undefined => {
    try {
      return readFileSync(join(root, file), 'utf8');
    } catch {
      // That it is not there is what is asked.
      return undefined;
    }
  };
  const sources: Sources = {
    endpoints: servedEndpoints(),
    coverage: COVERAGE,
    since: SINCE,
    notServed: NOT_SERVED,
    compared: SCENES.flatMap(({ steps }) => steps.map(({ target }) => target)),
    intended: INTENDED,
  };
  const has = titlesBy(read);
  const behaviours = {
    statements: statementsOf(read('docs/engine-api.md') ?? ''),
    behaviours: BEHAVIOURS,
    scenes: new Set(SCENES.map(({ name }) => name)),
  };
  const findings = [...checkCoverage(sources, has), ...checkBehaviours(behaviours, has)];
  const documents = { [DOCUMENT]: compatibility(sources), [TESTS_DOCUMENT]: engineApiTests(behaviours) };
  for (const [file, text] of Object.entries(documents)) {
    if (!process.argv.includes('--check')) writeFileSync(join(root, file), text);
    else if (read(file) !== text) findings.push({ file, line: 1, message: 'is not current: run make compatibility' });
  }
  report(
    'compatibility',
    findings,
    `${sources.endpoints.length} endpoints, ${behaviours.statements.length} statements`,
  );
}
