import { type OpenSession, type SessionChannel, SessionViewer } from '@fairlead/client/fleet';
import { decodeSessionFrame, encodeSessionFrame, type SessionFrame } from '@fairlead/protocol/fleet';

/** How a page joins a session. */
export interface PageOptions {
  /** A user's. */
  readonly token: string;
  readonly write?: boolean;
  readonly offset?: number;
}

/** A session as a page in a browser has it: a ticket, a WebSocket, and the SDK's viewer for the frames. */
export class BrowserSession implements Disposable {
  readonly viewer: SessionViewer;
  /** Why the WebSocket was closed. */
  readonly closed: Promise<CloseEvent>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, options: PageOptions) {
    this.#socket = socket;
    this.viewer = new SessionViewer(options);
    const channel: SessionChannel = {
      send: (frame: SessionFrame) => socket.readyState === WebSocket.OPEN && socket.send(encodeSessionFrame(frame)),
    };
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => this.viewer.join(channel));
    socket.addEventListener('message', ({ data }) =>
      this.viewer.receive(channel, decodeSessionFrame(new Uint8Array(data as ArrayBuffer))),
    );
    const { promise, resolve } = Promise.withResolvers<CloseEvent>();
    this.closed = promise;
    socket.addEventListener('close', (event) => {
      this.viewer.lost(channel);
      resolve(event);
    });
    void this.viewer.closed.then(() => socket.close(1000));
  }

  static async join(hub: URL, session: OpenSession, options: PageOptions): Promise<BrowserSession> {
    const { ticket } = await askForTicket(hub, session, options);
    const socket = new WebSocket(socketUrl(hub, session), ['fairlead-session', `ticket.${ticket}`]);
    return new BrowserSession(socket, options);
  }

  /** As when the network is gone: nothing is said to the viewer's session. */
  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Where a session's WebSocket is. */
export function socketUrl(hub: URL, { sessionId }: Pick<OpenSession, 'sessionId'>): URL {
  const url = new URL(`/v1/sessions/${sessionId}`, hub);
  url.protocol = url.protocol.replace('http', 'ws');
  return url;
}

/** @throws Error with the hub's words. */
export async function askForTicket(
  hub: URL,
  { sessionId, token: sessionToken }: OpenSession,
  { token, write = false }: PageOptions,
): Promise<{ readonly ticket: string; readonly expiresInMs: number }> {
  const answer = await fetch(new URL(`/v1/sessions/${sessionId}/tickets`, hub), {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ token: sessionToken, write }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as { readonly ticket: string; readonly expiresInMs: number };
}
