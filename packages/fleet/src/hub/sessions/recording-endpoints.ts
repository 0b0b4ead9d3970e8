import type { FleetActor, HostId } from '@fairlead/protocol/fleet';
import { type Endpoint, endpoint } from '../api/endpoint.ts';
import { audit, hostNamed } from '../api/operations.ts';
import type { SessionRelay } from './session-relay.ts';

/** What hosts have recorded of sessions. A recording shows what somebody else saw, so it is an administrator's. */
export function recordingEndpoints(relay: SessionRelay): readonly Endpoint[] {
  return [
    endpoint({ method: 'GET', path: '/v1/hosts/:host/recordings', role: 'admin' }, async (parts, request) => {
      const host = hostNamed(parts, request.params['host']);
      const question = { ask: 'list', actor: request.actor } as const;
      return { status: 200, body: (await relay.askAboutRecordings(host.id, question, 'list')).recordings };
    }),
    endpoint({ method: 'GET', path: '/v1/hosts/:host/recordings/:session', role: 'admin' }, async (parts, request) => {
      const host = hostNamed(parts, request.params['host']);
      const { session = '' } = request.params;
      const pieces = piecesOf(relay, host.id, { actor: request.actor, sessionId: session });
      // Asked for now: what is refused is refused with a status.
      const first = await pieces.next();
      await audit(parts, request, { action: 'recording.read', target: host.name, detail: session });
      return { type: 'application/x-asciicast', bytes: first.done === true ? none() : joined(first.value, pieces) };
    }),
  ];
}

async function* piecesOf(
  relay: SessionRelay,
  host: HostId,
  asked: { readonly actor: FleetActor; readonly sessionId: string },
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; ;) {
    const { base64 } = await relay.askAboutRecordings(host, { ask: 'read', ...asked, offset }, 'piece');
    if (base64 === '') return;
    const bytes = Buffer.from(base64, 'base64');
    offset += bytes.length;
    yield bytes;
  }
}

async function* joined(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

async function* none(): AsyncGenerator<Uint8Array> {}
