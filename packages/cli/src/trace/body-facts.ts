/** What the bodies of an exchange tell about it, as far as the verdict asks; the rest of them is not kept. */
export interface BodyFacts {
  /** Of an answer: what was created. */
  readonly createdId?: string;
  /** Of the request that creates an exec or a container. */
  readonly stdin?: boolean;
  readonly tty?: boolean;
  /** Of the request that starts an exec. */
  readonly detach?: boolean;
  /** Of an answered inspect. */
  readonly running?: boolean;
  /** Of an answered inspect or wait; `null` while it runs. */
  readonly exitCode?: number | null;
  /** Why the engine refused, in its words. */
  readonly message?: string;
}

/** The most of a JSON body that is kept to learn from. An inspect has 10 kB; one that is longer tells nothing. */
export const FACT_BYTES_MAX: number = 256 * 1024;
/** A refusal longer than this is cut. */
const MESSAGE_CHARS_MAX = 2000;

/** What a request's body says. */
export function requestFacts(endpoint: string | undefined, body: string): BodyFacts {
  const document = documentIn(body);
  switch (endpoint) {
    case 'exec.create':
      return { stdin: truth(document, 'AttachStdin'), tty: truth(document, 'Tty') };
    case 'exec.start':
      return { detach: truth(document, 'Detach'), tty: truth(document, 'Tty') };
    case 'container.create':
      return { stdin: truth(document, 'OpenStdin'), tty: truth(document, 'Tty') };
    default:
      return {};
  }
}

/** What an answer's body says. */
export function answerFacts(endpoint: string | undefined, status: number, body: string): BodyFacts {
  const document = documentIn(body);
  if (status >= 400) return messageFact(document, body);
  switch (endpoint) {
    case 'exec.create':
    case 'container.create':
      return optional('createdId', textAt(document, 'Id'));
    case 'exec.inspect':
      return { running: truth(document, 'Running'), ...optional('exitCode', codeAt(document, 'ExitCode')) };
    case 'container.inspect': {
      const config = fieldOf(document, 'Config');
      return {
        tty: truth(config, 'Tty'),
        stdin: truth(config, 'OpenStdin'),
        running: truth(fieldOf(document, 'State'), 'Running'),
      };
    }
    case 'container.wait':
      return optional('exitCode', codeAt(document, 'StatusCode'));
    default:
      return {};
  }
}

/** A field of a document that somebody else wrote. */
export function fieldOf(document: unknown, name: string): unknown {
  if (typeof document !== 'object' || document === null) return undefined;
  return Object.entries(document).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

function messageFact(document: unknown, body: string): BodyFacts {
  const message = textAt(document, 'message') ?? body.trim();
  return message === '' ? {} : { message: message.slice(0, MESSAGE_CHARS_MAX) };
}

function documentIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // Not JSON, or more than what is kept: then it tells nothing.
    return undefined;
  }
}

function truth(document: unknown, name: string): boolean {
  return fieldOf(document, name) === true;
}

function textAt(document: unknown, name: string): string | undefined {
  const value = fieldOf(document, name);
  return typeof value === 'string' ? value : undefined;
}

function codeAt(document: unknown, name: string): number | null | undefined {
  const value = fieldOf(document, name);
  return typeof value === 'number' || value === null ? value : undefined;
}

function optional<K extends keyof BodyFacts>(name: K, value: BodyFacts[K]): BodyFacts {
  return value === undefined ? {} : { [name]: value };
}
