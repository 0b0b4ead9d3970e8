import { EngineError } from '@fairlead/protocol';
import type { TerminalSize } from '../../core/ports/console.ts';

/** @throws EngineError 'invalid-argument' when a dimension is missing. Source: engine-api 5.8. */
export function terminalSize(query: {
  readonly h?: number | undefined;
  readonly w?: number | undefined;
}): TerminalSize {
  return { rows: dimension('height', query.h), columns: dimension('width', query.w) };
}

function dimension(name: 'height' | 'width', value: number | undefined): number {
  if (value === undefined) throw new EngineError('invalid-argument', `invalid resize ${name} "": invalid syntax`);
  return value;
}
