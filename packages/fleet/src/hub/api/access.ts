import { enrolRequestSchema, tokenRequestSchema, userRequestSchema } from '@fairlead/protocol/fleet';
import { HubError } from '../operation/hub-error.ts';
import { wholeNumber } from './checked.ts';
import { type Answer, type Endpoint, endpoint, endpointWithBody } from './endpoint.ts';
import { audit } from './operations.ts';

const AUDIT_MAX = 1_000;
const AUDIT_DEFAULT = 100;

/** Users, tokens, enrolment and the audit. */
export const ACCESS_ENDPOINTS: readonly Endpoint[] = [
  endpoint({ method: 'GET', path: '/v1/whoami', role: 'view' }, async (_parts, { actor }) => ok(actor)),
  endpoint({ method: 'GET', path: '/v1/users', role: 'admin' }, async ({ accounts }) => ok(accounts.all())),
  endpointWithBody(
    { method: 'POST', path: '/v1/users', role: 'admin', body: userRequestSchema },
    async (parts, request) => {
      const user = await parts.accounts.create(request.body);
      await audit(parts, request, { action: 'user.create', target: user.name, detail: user.role });
      return { status: 201, body: user };
    },
  ),
  endpoint({ method: 'DELETE', path: '/v1/users/:name', role: 'admin' }, async (parts, request) => {
    const { name = '' } = request.params;
    await parts.accounts.remove(name);
    await audit(parts, request, { action: 'user.remove', target: name, detail: '' });
    return ok({ removed: name });
  }),
  endpoint({ method: 'GET', path: '/v1/enrolment-tokens', role: 'admin' }, async ({ enrolment }) =>
    ok(enrolment.tokens()),
  ),
  endpointWithBody(
    { method: 'POST', path: '/v1/enrolment-tokens', role: 'admin', body: tokenRequestSchema },
    async (parts, request) => {
      const token = await parts.enrolment.makeToken(request.body, request.actor.name);
      await audit(parts, request, { action: 'token.create', target: token.name ?? '', detail: token.id });
      return { status: 201, body: token };
    },
  ),
  endpoint({ method: 'DELETE', path: '/v1/enrolment-tokens/:id', role: 'admin' }, async (parts, request) => {
    const { id = '' } = request.params;
    await parts.enrolment.dropToken(id);
    await audit(parts, request, { action: 'token.remove', target: '', detail: id });
    return ok({ removed: id });
  }),
  endpointWithBody(
    { method: 'POST', path: '/v1/enrol', role: null, body: enrolRequestSchema },
    async (parts, { from, body }) => {
      const enroller = { actor: { name: 'enrolment', role: 'view' }, from } as const;
      if (from !== 'unix' && parts.failures.isRefused(from)) throw new HubError('TOO_MANY', TOO_MANY_FAILURES);
      try {
        const { answer, isNew } = await parts.enrolment.enrol(body);
        if (isNew) {
          await audit(parts, enroller, { action: 'host.enrol', target: answer.name, detail: answer.host });
          parts.events.add({ kind: 'host', action: 'enrolled', host: answer.host, hostName: answer.name });
        }
        return { status: isNew ? 201 : 200, body: answer };
      } catch (error) {
        if (error instanceof HubError && error.code === 'UNAUTHORIZED') {
          parts.failures.failed(from);
          await audit(parts, enroller, { action: 'host.enrol-refused', target: body.name ?? '', detail: '' });
        }
        throw error;
      }
    },
  ),
  endpoint({ method: 'GET', path: '/v1/audit', role: 'admin' }, async ({ audit: table }, { query }) => {
    const after = wholeNumber(query, 'after', Number.MAX_SAFE_INTEGER) ?? 0;
    return ok(table.list(after, wholeNumber(query, 'limit', AUDIT_MAX) ?? AUDIT_DEFAULT));
  }),
  endpoint({ method: 'GET', path: '/v1/audit/check', role: 'admin' }, async ({ audit: table }) => {
    const firstBroken = table.firstBroken();
    return ok({ whole: firstBroken === undefined, firstBroken: firstBroken ?? null });
  }),
];

/** What is told to an address that guesses. */
export const TOO_MANY_FAILURES = 'too many wrong tokens from this address: wait a minute';

function ok(body: unknown): Answer {
  return { status: 200, body };
}
