import { EngineError } from '@fairlead/protocol';

/** Which hosts: every term must hold. */
export type Selector = readonly SelectorTerm[];

/** One term over a label; a label that is absent is no value. */
export type SelectorTerm =
  | { readonly kind: 'is'; readonly key: string; readonly value: string }
  | { readonly kind: 'is-not'; readonly key: string; readonly value: string }
  | { readonly kind: 'has'; readonly key: string }
  | { readonly kind: 'has-not'; readonly key: string };

/** More are a mistake of whoever typed them. */
const TERMS_MAX = 32;
const TERM = /^(!?)([A-Za-z0-9][A-Za-z0-9_./-]*)(?:(!=|==?)(.*))?$/;

/**
 * Reads `role=web,zone!=a,gpu,!old`. Empty: every host.
 *
 * @throws EngineError 'invalid-argument' that names the term it did not understand.
 */
export function parseSelector(text: string): Selector {
  const terms = text.split(',').filter((term) => term.trim() !== '');
  if (terms.length > TERMS_MAX) throw new EngineError('invalid-argument', `a selector has at most ${TERMS_MAX} terms`);
  return terms.map((term) => parseTerm(term.trim()));
}

/** True when every term holds for these labels. */
export function selects(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every((term) => {
    const value = Object.hasOwn(labels, term.key) ? labels[term.key] : undefined;
    switch (term.kind) {
      case 'is':
        return value === term.value;
      case 'is-not':
        return value !== term.value;
      case 'has':
        return value !== undefined;
      case 'has-not':
        return value === undefined;
      default:
        return term satisfies never;
    }
  });
}

function parseTerm(text: string): SelectorTerm {
  const [, not = '', key = '', operator, value = ''] = TERM.exec(text) ?? [];
  if (key === '' || (not !== '' && operator !== undefined)) {
    throw new EngineError(
      'invalid-argument',
      `not a selector: ${JSON.stringify(text)} (like role=web, zone!=a, gpu, !old)`,
    );
  }
  if (operator === undefined) return { kind: not === '' ? 'has' : 'has-not', key };
  return { kind: operator === '!=' ? 'is-not' : 'is', key, value };
}
