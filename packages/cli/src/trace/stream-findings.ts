import type { Finding } from './finding.ts';
import { connectionOf, outcomeOf, wasInterrupted } from './outcome.ts';
import type { Connection, Exchange, Recording } from './recording.ts';
import type { Cut, Side } from './trace-event.ts';
import { requestText, sizeText } from './words.ts';

/** Bodies and streams that ended in the middle, and input whose end was never sent. */
export function streamFindings(recording: Recording): readonly Finding[] {
  return recording.exchanges.flatMap((exchange) => {
    const connection = connectionOf(recording, exchange);
    return [
      ...cutFindings(exchange, connection, recording),
      ...stdinFindings(exchange, connection, recording),
      ...detachFindings(exchange, connection),
    ];
  });
}

function cutFindings(exchange: Exchange, connection: Connection | undefined, recording: Recording): readonly Finding[] {
  // Only the first to end has cut something off; the other side was left with what it had.
  const first = connection?.ends.find(({ how }) => how !== 'half-close') ?? connection?.ends[0];
  return exchange.cuts
    .filter(({ side }) => first === undefined || side === first.side || side === 'engine')
    .map(({ side, cut }) => ({
      id: idOf(side, cut),
      level: side === 'client' && wasInterrupted(recording) ? 'note' : 'problem',
      summary: `The ${side} ended the connection ${whereText(side, cut)} of \`${requestText(exchange)}\`.`,
      details: [missingText(side, cut, exchange)],
      fixes: side === 'engine' ? ['What was received is not all of it: treat it as a failure, never as the end.'] : [],
      evidence: (connection?.ends ?? []).map(({ side, how, atMs }) => ({ atMs, what: `${side}: ${how}` })),
      connection: exchange.connection,
      exchange: exchange.number,
    }));
}

function idOf(side: Side, cut: Cut): 'stream-cut' | 'answer-cut' | 'request-cut' {
  if (side === 'client') return 'request-cut';
  return cut.within === 'frame' ? 'stream-cut' : 'answer-cut';
}

function whereText(side: Side, cut: Cut): string {
  if (cut.within === 'frame') return 'in the middle of a frame of the stream';
  const part = cut.within === 'head' ? 'head' : 'body';
  return `in the middle of the ${side === 'engine' ? `answer's ${part}` : `request's ${part}`}`;
}

function missingText(side: Side, cut: Cut, { answerBytes, requestBytes }: Exchange): string {
  const came = sizeText(side === 'engine' ? answerBytes : requestBytes);
  switch (cut.within) {
    case 'frame':
      return cut.missingBytes > 0
        ? `${came} came; ${sizeText(cut.missingBytes)} of the last frame's payload are missing.`
        : `${came} came; of the last frame there are only ${cut.headerBytes} of 8 header bytes.`;
    case 'body':
      return cut.missingBytes === undefined
        ? `${came} came, and the chunk that says "this is the end" did not.`
        : `${came} came; ${sizeText(cut.missingBytes)} are missing.`;
    case 'head':
      return 'The head is not complete.';
    default:
      return cut satisfies never;
  }
}

/** A program that reads to the end of its input waits for ever when nobody sends that end. A terminal has none: there it is a key. */
function stdinFindings(
  exchange: Exchange,
  connection: Connection | undefined,
  recording: Recording,
): readonly Finding[] {
  if (exchange.stream === undefined || exchange.detachKeys || !takesInput(exchange, recording)) return [];
  const outcome = outcomeOf(exchange, connection);
  if (outcome.by === 'answer' || outcome.by === 'engine') return [];
  const ended = connection?.ends.some(
    ({ side, how, atMs }) => side === 'client' && (how === 'half-close' || how === 'fin') && atMs >= exchange.atMs,
  );
  if (ended === true) return [];
  return [
    {
      id: 'stdin-never-closed',
      level: wasInterrupted(recording) ? 'note' : 'problem',
      summary: `The end of the input was never sent on \`${requestText(exchange)}\`: the client did not half-close the connection${outcome.by === 'client' ? ', it left' : ''}.`,
      details: [
        `${sizeText(exchange.stream.inputBytes)} of input were sent. A program that reads to the end goes on waiting.`,
      ],
      fixes: [
        "End the writable side (shutdown(SHUT_WR), `stream.end()`) after the input's last byte, and go on reading.",
      ],
      evidence: [
        { atMs: exchange.stream.atMs, what: 'the connection became a stream' },
        ...(outcome.by === 'client' ? [{ atMs: outcome.atMs, what: `client: ${outcome.how}` }] : []),
      ],
      connection: exchange.connection,
      exchange: exchange.number,
    },
  ];
}

/** Whoever leaves an attached container leaves it running. Clients look for the detach keys themselves, so only their leaving is seen. */
function detachFindings(exchange: Exchange, connection: Connection | undefined): readonly Finding[] {
  const outcome = outcomeOf(exchange, connection);
  if (exchange.endpoint.name !== 'container.attach' || exchange.stream === undefined) return [];
  if (outcome.by !== 'client' && !exchange.detachKeys) return [];
  return [
    {
      id: 'detached',
      level: 'note',
      summary: `The client left \`${requestText(exchange)}\` before its end${exchange.detachKeys ? ', by the detach keys' : ''}. That does not end the container.`,
      details: [],
      fixes: [],
      evidence: outcome.by === 'client' ? [{ atMs: outcome.atMs, what: `client: ${outcome.how}` }] : [],
      connection: exchange.connection,
      exchange: exchange.number,
    },
  ];
}

/** Input goes to the program, and it has no terminal, as far as the recording knows. */
function takesInput({ endpoint }: Exchange, { all }: Recording): boolean {
  const about = all.filter(
    ({ facts, endpoint: other }) => facts.createdId === endpoint.ref || isInspectOf(other, endpoint.ref),
  );
  const terminal = about.findLast(({ facts }) => facts.tty !== undefined)?.facts.tty;
  switch (endpoint.name) {
    case 'exec.start':
      return about.some(({ facts }) => facts.stdin === true) && terminal === false;
    case 'container.attach':
      return /^(1|true)$/i.test(endpoint.query.get('stdin') ?? '') && terminal === false;
    default:
      return false;
  }
}

function isInspectOf(other: Exchange['endpoint'], ref: string): boolean {
  return other.name === 'container.inspect' && other.ref === ref;
}
