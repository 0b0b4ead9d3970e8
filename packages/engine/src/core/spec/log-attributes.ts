import { EngineError, type StringMap } from '@fairlead/protocol';

/** What the details of a container's log are made of. */
export interface LoggedContainer {
  readonly id: string;
  readonly name: string;
  readonly imageId: string;
  /** As the create named it. */
  readonly image: string;
  readonly labels: StringMap<string>;
  readonly environment: readonly string[];
  /** LogConfig.Config. */
  readonly options: StringMap<string>;
}

const SHORT_ID_LENGTH = 12;

/** The words of `tag`. Source: Docker's documentation, "Customize log driver output", and moby daemon/logger/loginfo.go. */
const TAG_WORDS: Readonly<Record<string, (container: LoggedContainer) => string>> = {
  ID: ({ id }) => id.slice(0, SHORT_ID_LENGTH),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => imageId.replace('sha256:', '').slice(0, SHORT_ID_LENGTH),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ image }) => image,
  DaemonName: () => 'docker',
};

const PLACEHOLDER = /\{\{\s*(.*?)\s*\}\}/g;

/** @throws EngineError 'invalid-argument' for a template that needs more than words put in. */
export function checkTag(template: string | undefined): void {
  for (const [placeholder, inner = ''] of (template ?? '').matchAll(PLACEHOLDER)) {
    if (inner.startsWith('.') && Object.hasOwn(TAG_WORDS, inner.slice(1))) continue;
    throw new EngineError(
      'invalid-argument',
      `log tag: ${placeholder} is not one of the words that this engine puts in`,
    );
  }
}

/** Undefined without one. @throws EngineError 'invalid-argument' for what is no regular expression. */
export function namePattern(text: string | undefined): RegExp | undefined {
  try {
    return text === undefined || text === '' ? undefined : new RegExp(text);
  } catch (cause) {
    throw new EngineError('invalid-argument', `error parsing regexp: ${text}`, { cause });
  }
}

/**
 * What `details` puts before each line: `a=b,c=d`, by name, escaped as in a URL; empty when no option asks for any.
 * Source: moby v28 daemon/logger/loginfo.go, ExtraAttributes, and api/server/httputils/write_log_stream.go.
 */
export function logDetails(container: LoggedContainer): string {
  const { options, labels, environment } = container;
  const variables = Object.fromEntries(
    environment.map((entry) => {
      const [name = '', ...value] = entry.split('=');
      return [name, value.join('=')];
    }),
  );
  const attributes: StringMap<string> = {
    ...chosen(labels, options['labels'], options['labels-regex']),
    ...chosen(variables, options['env'], options['env-regex']),
    ...(options['tag'] === undefined || options['tag'] === '' ? {} : { tag: tagOf(options['tag'], container) }),
  };
  return Object.entries(attributes)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(value)}`)
    .join(',');
}

function chosen(values: StringMap<string>, names: string | undefined, pattern: string | undefined): StringMap<string> {
  const listed = new Set(names?.split(','));
  const expression = namePattern(pattern);
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => listed.has(name) || expression?.test(name) === true),
  );
}

function tagOf(template: string, container: LoggedContainer): string {
  return template.replaceAll(PLACEHOLDER, (placeholder, inner: string) => {
    const word = TAG_WORDS[inner.slice(1)];
    return word === undefined ? placeholder : word(container);
  });
}

/** As Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
