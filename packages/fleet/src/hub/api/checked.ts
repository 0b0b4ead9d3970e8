import * as v from 'valibot';
import { HubError } from '../operation/hub-error.ts';

/** A value that fits a schema. @throws HubError 'INVALID' that names the first place where it does not. */
export function checked<T>(schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new HubError('INVALID', path === null ? issue.message : `${path}: ${issue.message}`);
}

/** A whole number out of a query; undefined when it is absent. @throws HubError 'INVALID' */
export function wholeNumber(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text)) throw new HubError('INVALID', `${name}: not a whole number`);
  return Math.min(value, max);
}
