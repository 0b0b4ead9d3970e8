import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { EngineError } from '@fairlead/protocol';
import { FLEET_ROLES } from '@fairlead/protocol/fleet';
import { OPEN_POLICY, type Policy } from './policy.ts';

/** A policy is a page, not a database. */
export const POLICY_BYTES_MAX: number = 256 * 1024;

const patterns = v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(512)));
const absolute = v.pipe(v.string(), v.regex(/^\/(?!.*(?:^|\/)\.\.?(?:\/|$))/, 'must be an absolute path without dots'));

/** Unknown keys are refused: a misspelt rule must not be a rule that does nothing. */
const policySchema: v.GenericSchema<unknown, Policy> = v.strictObject({
  verbs: v.optional(
    v.array(
      v.picklist([
        'create',
        'start',
        'stop',
        'restart',
        'kill',
        'remove',
        'pause',
        'unpause',
        'rename',
        'exec',
        'pull',
        'noop',
      ]),
    ),
  ),
  roles: v.optional(v.array(v.picklist(FLEET_ROLES))),
  actors: v.optional(patterns),
  sessions: v.optional(v.array(v.picklist(['tunnel', 'exec', 'attach', 'logs']))),
  maxGraceMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  images: v.optional(patterns),
  denyPrivileged: v.optional(v.boolean()),
  bindPrefixes: v.optional(v.array(absolute)),
  hostNamespaces: v.optional(v.array(v.picklist(['network', 'pid', 'ipc', 'uts', 'user', 'cgroup']))),
});

/** The policy in a file; undefined: there is none, and everything is allowed. @throws EngineError 'invalid-argument' that names the place. */
export async function readPolicy(path: string | undefined): Promise<Policy> {
  if (path === undefined) return OPEN_POLICY;
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new EngineError('invalid-argument', `cannot read the policy ${path}`, { cause });
  });
  return parsePolicy(text, path);
}

/** Reads a policy's JSON. @throws EngineError 'invalid-argument' that names the place in the file. */
export function parsePolicy(text: string, path: string): Policy {
  if (text.length > POLICY_BYTES_MAX) throw new EngineError('invalid-argument', `the policy ${path} is too long`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new EngineError('invalid-argument', `the policy ${path} is not JSON`, { cause });
  }
  const result = v.safeParse(policySchema, document);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? 'the document';
  throw new EngineError('invalid-argument', `the policy ${path} cannot be used: ${place}: ${issue.message}`);
}
