import { VERSION } from '../version.ts';
import type { Finding } from './finding.ts';
import { type Header, headerValues } from './http-parser.ts';
import { connectionOf, outcomeOf } from './outcome.ts';
import type { Exchange, Recording } from './recording.ts';
import type { BodyExcerpt } from './trace-event.ts';

/** The trace as HTTP Archive 1.2, as browsers and their kin import it. Sizes that are not known are -1. */
export function harOf(recording: Recording, findings: readonly Finding[]): object {
  const started = Date.parse(recording.begin?.startedAt ?? '') || 0;
  return {
    log: {
      version: '1.2',
      creator: { name: 'fairlead trace', version: VERSION },
      comment: findings.map(({ summary }) => summary).join('\n'),
      pages: [],
      entries: recording.exchanges.map((exchange) => entryOf(exchange, started, recording)),
    },
  };
}

function entryOf(exchange: Exchange, startedUnixMs: number, recording: Recording): object {
  const { atMs, askedAtMs = atMs, answer, stream } = exchange;
  const outcome = outcomeOf(exchange, connectionOf(recording, exchange));
  const lastMs = answer?.endAtMs ?? ('atMs' in outcome ? outcome.atMs : (recording.finish?.atMs ?? askedAtMs));
  const headMs = answer?.atMs ?? lastMs;
  const comments = [
    ...(stream === undefined
      ? []
      : [`hijacked: a two-way stream; ${stream.inputBytes} bytes went to the engine on it`]),
    ...(outcome.by === 'client' || outcome.by === 'engine'
      ? [`the ${outcome.by} ended the connection first (${outcome.how})`]
      : []),
    ...(outcome.by === 'nobody' ? ['not over when the trace ended'] : []),
  ];
  return {
    startedDateTime: new Date(startedUnixMs + atMs).toISOString(),
    time: lastMs - atMs,
    request: requestOf(exchange),
    response: responseOf(exchange),
    cache: {},
    timings: {
      blocked: -1,
      dns: -1,
      connect: -1,
      ssl: -1,
      send: askedAtMs - atMs,
      wait: headMs - askedAtMs,
      receive: lastMs - headMs,
    },
    connection: String(exchange.connection),
    ...(comments.length === 0 ? {} : { comment: comments.join('; ') }),
  };
}

function requestOf({ method, target, headers, endpoint, requestBytes, requestBody }: Exchange): object {
  const [host = 'docker'] = headerValues(headers, 'Host');
  return {
    method,
    url: `http://${host === '' ? 'docker' : host}${target.startsWith('/') ? target : `/${target}`}`,
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: headers.map(pair),
    queryString: [...endpoint.query].map(pair),
    headersSize: -1,
    bodySize: requestBytes,
    ...(requestBody === undefined
      ? {}
      : { postData: { mimeType: typeOf(headers), params: [], text: requestBody.text, ...cutComment(requestBody) } }),
  };
}

function responseOf({ answer, answerBytes }: Exchange): object {
  const headers = answer?.headers ?? [];
  const body = answer?.body;
  return {
    // 0 is what browsers write for an answer that never came.
    status: answer?.status ?? 0,
    statusText: answer?.reason ?? '',
    httpVersion: 'HTTP/1.1',
    cookies: [],
    headers: headers.map(pair),
    content: {
      size: answerBytes,
      mimeType: typeOf(headers),
      ...(body === undefined ? {} : { text: body.text, ...cutComment(body) }),
    },
    redirectURL: '',
    headersSize: -1,
    bodySize: answerBytes,
  };
}

function pair([name, value]: Header): { readonly name: string; readonly value: string } {
  return { name, value };
}

function typeOf(headers: readonly Header[]): string {
  return headerValues(headers, 'Content-Type')[0] ?? '';
}

function cutComment({ cut, bytes }: BodyExcerpt): { readonly comment?: string } {
  return cut ? { comment: `only the beginning of ${bytes} bytes` } : {};
}
