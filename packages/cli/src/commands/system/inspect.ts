import { type Client, RequestFailedError } from '@fairlead/client';
import { atLeast, type Command } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, EXIT_USAGE, ExitError, failureText } from '../../exit-codes.ts';
import { text, toggle } from '../../flags/flag-types.ts';
import { plainJson, TemplateError } from '../../format/go-template-value.ts';
import { parseTemplate, type Template } from '../../format/go-template.ts';

const TYPES = ['container', 'image'] as const;
type ObjectType = (typeof TYPES)[number];

/** `fairlead inspect` */
export const inspectCommand: Command = {
  name: 'inspect',
  usage: '[OPTIONS] NAME|ID [NAME|ID...]',
  summary: 'Return low-level information on containers and images',
  args: atLeast(1),
  define(flags) {
    const format = flags.add('format,f', "Format output using a custom template: 'json' or 'TEMPLATE'", text());
    const size = flags.add('size,s', 'Display total file sizes if the type is container', toggle());
    const type = flags.add('type', 'Only inspect objects of the given type: container or image', text());
    return async (context, refs) => {
      const types = typesOf(type.value);
      const client = await context.client();
      return await show(context, {
        refs,
        format: format.value,
        find: (ref) => find(client, ref, { types, size: size.value }),
      });
    };
  },
};

function typesOf(typed: string): readonly ObjectType[] {
  if (typed === '') return TYPES;
  const known = TYPES.find((type) => type === typed);
  if (known !== undefined) return [known];
  throw new ExitError(EXIT_USAGE, `"${typed}" is not a valid value for --type`);
}

/** The first that answers: a container, else an image, as docker inspect tries them. @throws ExitError `No such object` */
async function find(
  client: Client,
  ref: string,
  wanted: { readonly types: readonly ObjectType[]; readonly size: boolean },
): Promise<unknown> {
  for (const type of wanted.types) {
    try {
      return type === 'container'
        ? await client.containers.inspect(ref, wanted.size ? { size: true } : {})
        : await client.images.inspect(ref);
    } catch (error) {
      if (!(error instanceof RequestFailedError) || error.kind !== 'not-found') throw error;
    }
  }
  const [only] = wanted.types;
  const words = wanted.types.length > 1 ? `No such object: ${ref}` : `No such ${only}: ${ref}`;
  throw new ExitError(EXIT_FAILURE, `Error: ${words}`);
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
