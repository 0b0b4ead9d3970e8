import type { Operation } from '@fairlead/protocol';

/** Recognises a stored operation. The engine is the only writer, so the frame is checked, not every field. */
export function isOperation(document: unknown): document is Operation {
  if (typeof document !== 'object' || document === null) return false;
  return (
    'Id' in document && 'Verb' in document && 'Target' in document && 'Phases' in document && 'Outcome' in document
  );
}
