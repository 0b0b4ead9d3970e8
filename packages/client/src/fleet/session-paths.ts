import type { SessionQuestion } from './ask-for-session.ts';

/** How somebody joins a session that is there. */
export function sessionAgain(
  session: { readonly sessionId: string; readonly token: string },
  options: { readonly write: boolean },
): SessionQuestion {
  return {
    path: `/v1/sessions/${encodeURIComponent(session.sessionId)}${options.write ? '?write=1' : ''}`,
    headers: { 'Fairlead-Session-Token': session.token },
  };
}
