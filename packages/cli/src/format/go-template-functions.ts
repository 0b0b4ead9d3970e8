import { ellipsis } from './human.ts';
import { isTruthy, plainJson, printValue, TemplateError } from './go-template-value.ts';

type TemplateFunction = (args: readonly unknown[]) => unknown;

/** Go's and Docker's functions. Source: text/template funcs.go and docker/cli templates.go, basicFunctions. */
const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['json', ([value]) => plainJson(value)],
  ['len', ([value]) => lengthOf(value)],
  ['index', ([value, ...keys]) => keys.reduce(itemOf, value)],
  ['join', ([items, separator]) => listOf(items).map(printValue).join(printValue(separator))],
  ['split', ([text, separator]) => printValue(text).split(printValue(separator))],
  ['upper', ([text]) => printValue(text).toUpperCase()],
  ['lower', ([text]) => printValue(text).toLowerCase()],
  ['title', ([text]) => printValue(text).replace(/(^|\s)\S/g, (first) => first.toUpperCase())],
  ['pad', ([text, before, after]) => ' '.repeat(Number(before)) + printValue(text) + ' '.repeat(Number(after))],
  ['truncate', ([text, width]) => ellipsis(printValue(text), Number(width))],
  ['print', (args) => args.map(printValue).join('')],
  ['println', (args) => `${args.map(printValue).join(' ')}\n`],
  ['printf', ([format, ...args]) => printf(printValue(format), args)],
  ['eq', ([first, ...others]) => others.includes(first)],
  ['ne', ([first, second]) => first !== second],
  ['lt', ([first, second]) => Number(first) < Number(second)],
  ['le', ([first, second]) => Number(first) <= Number(second)],
  ['gt', ([first, second]) => Number(first) > Number(second)],
  ['ge', ([first, second]) => Number(first) >= Number(second)],
  ['not', ([value]) => !isTruthy(value)],
  ['and', (args) => args.find((value) => !isTruthy(value)) ?? args.at(-1)],
  ['or', (args) => args.find(isTruthy) ?? args.at(-1)],
]);

/** @throws TemplateError `function "x" not defined`, or when it cannot take its arguments. */
export function callFunction(name: string, args: readonly unknown[]): unknown {
  const body = FUNCTIONS.get(name);
  if (body === undefined) throw new TemplateError(`function "${name}" not defined`);
  return body(args);
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw new TemplateError(`error calling len: len of ${printValue(value)}`);
}

function itemOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const at = Number(key);
    if (!Number.isInteger(at) || at < 0 || at >= items.length) {
      throw new TemplateError(`error calling index: index out of range: ${printValue(key)}`);
    }
    return items[at];
  }
  if (typeof value !== 'object' || value === null) throw new TemplateError('error calling index: index of untyped nil');
  return Object.entries(value).find(([name]) => name === String(key))?.[1];
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TemplateError(`error calling join: expected a list, got ${printValue(value)}`);
  return value;
}

function printf(format: string, args: readonly unknown[]): string {
  const left = [...args];
  return format.replace(/%([svdq%])/g, (_, verb: string) => {
    if (verb === '%') return '%';
    const value = left.shift();
    return verb === 'q' ? plainJson(printValue(value)) : printValue(value);
  });
}
