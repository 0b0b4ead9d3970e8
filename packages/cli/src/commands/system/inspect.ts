import { type Client, RequestFailedError } from '@fairlead/client';
import { isEngineError } from '@fairlead/protocol';
import { type Action, atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, EXIT_USAGE, ExitError, failureText } from '../../exit-codes.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { plainJson, TemplateError } from '../../format/go-template-value.ts';
import { parseTemplate, type Template } from '../../format/go-template.ts';

const TYPES = ['container', 'image', 'network', 'volume'] as const;
type ObjectType = (typeof TYPES)[number];

/** `fairlead inspect` */
export const inspectCommand: Command = {
  name: 'inspect',
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Return low-level information on containers, images, networks and volumes',
  args: atLeast(1),
  define(flags) {
    const type = flags.add('type', `Only inspect objects of the given type: ${TYPES.join(', ')}`, text());
    const size = flags.add('size,s', 'Display total file sizes if the type is container', toggle());
    return inspecting(flags, () => ({ types: typesOf(type.value), size: size.value }));
  },
};

/** `fairlead container inspect` and the like. */
export function inspectOnly(type: ObjectType): Command {
  const summary = `Display detailed information on one or more ${type}s`;
  return {
    name: `${type} inspect`,
    usage: `[OPTIONS] ${type.toUpperCase()} [${type.toUpperCase()}...]`,
    summary,
    args: atLeast(1),
    define(flags) {
      const size = type === 'container' ? flags.add('size,s', 'Display total file sizes', toggle()) : undefined;
      return inspecting(flags, () => ({ types: [type], size: size?.value ?? false }));
    },
  };
}

interface Wanted {
  readonly types: readonly ObjectType[];
  readonly size: boolean;
}

function inspecting(flags: FlagSet, wanted: () => Wanted): Action {
  const format = flags.add('format,f', "Format output using a custom template: 'json' or 'TEMPLATE'", text());
  return async (context, refs) => {
    const asked = wanted();
    const client = await context.client();
    return await show(context, { refs, format: format.value, find: (ref) => find(client, ref, asked) });
  };
}

function typesOf(typed: string): readonly ObjectType[] {
  if (typed === '') return TYPES;
  const known = TYPES.find((type) => type === typed);
  if (known !== undefined) return [known];
  throw new ExitError(EXIT_USAGE, `"${typed}" is not a valid value for --type`);
}

/** The first that answers, in the order docker inspect tries them. @throws ExitError `No such object` */
async function find(client: Client, ref: string, wanted: Wanted): Promise<unknown> {
  let failure: unknown;
  for (const type of wanted.types) {
    try {
      return await inspectOne(client, ref, { type, size: wanted.size });
    } catch (error) {
      // What is no name of an image may be one of a network.
      const another = error instanceof RequestFailedError && error.kind === 'not-found';
      if (!another && !(isEngineError(error) && error.kind === 'invalid-argument' && wanted.types.length > 1))
        throw error;
      failure = error;
    }
  }
  const [only] = wanted.types;
  const words = wanted.types.length > 1 ? `Error: No such object: ${ref}` : undefined;
  // Of networks and volumes the engine's own words are told. Source: docker/cli inspect.go.
  if (words === undefined && (only === 'network' || only === 'volume')) throw failure;
  throw new ExitError(EXIT_FAILURE, words ?? `Error: No such ${only}: ${ref}`, { cause: failure });
}

async function inspectOne(
  client: Client,
  ref: string,
  { type, size }: { readonly type: ObjectType; readonly size: boolean },
): Promise<unknown> {
  switch (type) {
    case 'container':
      return await client.containers.inspect(ref, size ? { size: true } : {});
    case 'image':
      return await client.images.inspect(ref);
    case 'network':
      return await client.networks.inspect(ref);
    case 'volume':
      return await client.volumes.inspect(ref);
    default:
      return type satisfies never;
  }
}

interface Shown {
  readonly refs: readonly string[];
  readonly format: string;
  readonly find: (ref: string) => Promise<unknown>;
}

async function show(context: CliContext, shown: Shown): Promise<number> {
  const template = templateOf(shown.format);
  const found: unknown[] = [];
  const failures: string[] = [];
  for (const ref of shown.refs) {
    try {
      const object = await shown.find(ref);
      if (template === undefined) found.push(object);
      else await context.out(`${render(template, object)}\n`);
    } catch (error) {
      failures.push(error instanceof ExitError ? error.message : failureText(error));
    }
  }
  if (template === undefined) await context.out(documents(found, shown.format));
  for (const failure of failures) await context.err(failure);
  return failures.length > 0 ? EXIT_FAILURE : 0;
}

function documents(found: readonly unknown[], format: string): string {
  if (format === 'json') return `${plainJson(found)}\n`;
  if (found.length === 0) return '[]\n';
  return `${JSON.stringify(found, null, 4)}\n`;
}

function templateOf(format: string): Template | undefined {
  if (format === '' || format === 'json') return undefined;
  try {
    return parseTemplate(format);
  } catch (error) {
    throw templateFailure(error);
  }
}

function render(template: Template, object: unknown): string {
  try {
    return template.render(object);
  } catch (error) {
    throw templateFailure(error);
  }
}

function templateFailure(error: unknown): unknown {
  if (!(error instanceof TemplateError)) return error;
  return new ExitError(EXIT_FAILURE, `template parsing error: template: :1: ${error.message}`, { cause: error });
}
