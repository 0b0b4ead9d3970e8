import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import { type HostId, hostSubjects, type RpcName } from '@fairlead/protocol/fleet';

/** One question to an agent. */
export interface AgentQuestion {
  readonly rpc: RpcName;
  readonly question: unknown;
  readonly timeoutMs: number;
}

/**
 * Asks an agent, and gives its answer back unchecked. The answer comes on a subject of the host's own: agents may not publish to
 * anybody's inbox.
 *
 * @throws NATS's error: nobody listens, or no answer within `timeoutMs`.
 */
export async function askAgent(connection: NatsConnection, host: HostId, asked: AgentQuestion): Promise<unknown> {
  const subjects = hostSubjects(host);
  const { rpc, question, timeoutMs: timeout } = asked;
  const reply = subjects.answer(randomBytes(12).toString('hex'));
  const answer = await connection.request(subjects.rpc(rpc), JSON.stringify(question), { timeout, noMux: true, reply });
  return answer.json();
}
