import type { HubErrorBody } from '@fairlead/protocol/fleet';

/** What is shown of a text that is not the hub's. */
const SHOWN_CHARACTERS_MAX = 500;

/** A refusal of the hub's, out of its answer. When something in between answered, its text is all there is; `otherwise` when it has none. */
export function refusalIn(
  text: string,
  otherwise: string,
): { readonly code: HubErrorBody['code'] | ''; readonly message: string } {
  const document = parsed(text);
  if (isRefusal(document)) return document;
  return { code: '', message: text.trim().slice(0, SHOWN_CHARACTERS_MAX) || otherwise };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: not the hub's.
    return undefined;
  }
}

/** The hub is trusted with its codes. */
function isRefusal(document: unknown): document is HubErrorBody {
  if (typeof document !== 'object' || document === null || !('code' in document) || !('message' in document))
    return false;
  return typeof document.code === 'string' && typeof document.message === 'string';
}
