import { compareVersions } from '@fairlead/protocol';
import type { Finding } from './finding.ts';
import { headerValues } from './http-parser.ts';
import type { Answer, Exchange, Recording } from './recording.ts';
import { requestText } from './words.ts';

/** What the engine refused, and whether that did any harm. */
export function answerFindings(recording: Recording): readonly Finding[] {
  const findings: Finding[] = [];
  const notFound: Exchange[] = [];
  for (const exchange of recording.exchanges) {
    const { answer } = exchange;
    if (answer === undefined || answer.status < 400 || isExpected(exchange, recording)) continue;
    if (answer.status === 404 && isQuestion(exchange)) notFound.push(exchange);
    else findings.push(versionFinding(exchange, answer) ?? refusal([exchange], recording));
  }
  // Whoever looks for a thing asks in several places: `docker inspect` in five.
  return notFound.length === 0 ? findings : [...findings, refusal(notFound, recording)];
}

function refusal(exchanges: readonly Exchange[], recording: Recording): Finding {
  const coped = recording.finish?.exitCode === 0;
  const [first] = exchanges;
  const { connection = 0, number = 0 } = first ?? {};
  const onlyListens = recording.begin?.command.length === 0;
  return {
    id: 'refused',
    level: coped || exchanges.every(isResize) || (onlyListens && exchanges.every(isQuestion)) ? 'note' : 'problem',
    summary:
      exchanges.length === 1
        ? exchanges.map(refusalText).join('')
        : `The engine answered ${exchanges.length} questions with 404: what was asked for is not there.`,
    details: [
      ...(exchanges.length === 1 ? [] : exchanges.map(refusalText)),
      ...(coped ? ['The command coped with it: it ended with 0.'] : []),
    ],
    fixes: [],
    evidence: exchanges.map((exchange) => ({ atMs: exchange.answer?.atMs ?? 0, what: statusText(exchange) })),
    connection,
    exchange: number,
  };
}

function refusalText(exchange: Exchange): string {
  const { message } = exchange.facts;
  return `The engine answered \`${requestText(exchange)}\` with ${statusText(exchange)}${message === undefined ? '.' : `: ${message}`}`;
}

function statusText({ answer }: Exchange): string {
  return `${answer?.status} ${answer?.reason}`.trimEnd();
}

/** Clients ask whether something is there, or make up for a refusal themselves. Source: engine-api 7. */
function isExpected({ endpoint, method, answer, number }: Exchange, { all }: Recording): boolean {
  if (answer?.status !== 404) return false;
  if (method === 'HEAD') return true;
  // The client pulls the image and creates again.
  return (
    endpoint.name === 'container.create' &&
    all.some((other) => other.number > number && other.endpoint.path === '/images/create')
  );
}

/** A terminal's size is set while its program starts or ends; clients try again. Source: docker/cli tty.go. */
function isResize({ endpoint }: Exchange): boolean {
  return endpoint.name === 'exec.resize' || endpoint.name === 'container.resize';
}

function isQuestion({ method }: Exchange): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Source: moby api/server/middleware/version.go. */
const MINIMUM_VERSION = /Minimum supported API version is ([0-9.]+)/;
const MAXIMUM_VERSION = /Maximum supported API version is ([0-9.]+)/;

function versionFinding(exchange: Exchange, answer: Answer): Finding | undefined {
  const asked = exchange.endpoint.version;
  const words = exchange.facts.message ?? '';
  const [newest] = headerValues(answer.headers, 'Api-Version');
  const oldest = MINIMUM_VERSION.exec(words)?.[1];
  if (answer.status !== 400 || asked === undefined) return undefined;
  const isTooNew = newest !== undefined && compareVersions(asked, newest) > 0;
  if (!isTooNew && oldest === undefined) return undefined;
  const limit = MAXIMUM_VERSION.exec(words)?.[1] ?? newest ?? '?';
  return {
    id: 'api-version-refused',
    level: 'problem',
    summary: isTooNew
      ? `The client speaks API version ${asked}, and ${limit} is the newest that this engine speaks.`
      : `The client speaks API version ${asked}, and ${oldest} is the oldest that this engine speaks.`,
    details: words === '' ? [] : [`In the engine's words: ${words}`],
    fixes: isTooNew
      ? [`Set DOCKER_API_VERSION=${limit}, or let the client negotiate: most do when they are not given a version.`]
      : ['Use a newer client, or set DOCKER_API_VERSION if the client can speak a newer version.'],
    evidence: [{ atMs: answer.atMs, what: `${requestText(exchange)} as v${asked}: 400` }],
    connection: exchange.connection,
    exchange: exchange.number,
  };
}
