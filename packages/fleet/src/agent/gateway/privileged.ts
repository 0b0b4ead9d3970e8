import { isPrivileged } from '../../lib/role-for-command.ts';

/** True for a JSON object. */
export function isDocument(body: unknown): body is Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}

/** True when an exec's body asks for more than its container has. Engines read keys without regard to case. */
export function isPrivilegedExec(body: unknown): boolean {
  if (!isDocument(body)) return false;
  return Object.entries(body).some(
    ([key, value]) => key.toLowerCase() === 'privileged' && value !== false && value !== null,
  );
}

/** True when a body that is to be judged asks for what only an administrator may. */
export function needsAdmin(endpoint: string | undefined, body: unknown): boolean {
  if (endpoint === 'exec.create') return isPrivilegedExec(body);
  return endpoint === 'container.create' && isDocument(body) && isPrivileged(body);
}
