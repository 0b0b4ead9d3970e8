import type { Client, CreateBody, StopResult } from '@fairlead/client';
import { EngineError, familiarReference, parseReference, withDefaultTag } from '@fairlead/protocol';
import type { FleetCommand, FleetOutcome } from '@fairlead/protocol/fleet';
import type { Step } from '../journal/record.ts';
import { cutOutput } from './cut-output.ts';

/** The label by which a container is found again whose create was not answered. Its value is the operation's id. */
export const OPERATION_LABEL = 'fairlead.op';

/** What a request to the engine needs besides the command. */
export interface Asking {
  readonly client: Client;
  readonly operationId: string;
  /** The container's id; undefined: the command is about none. */
  readonly containerId: string | undefined;
  /** Ends the listening. */
  readonly signal: AbortSignal;
  /** Writes down how far it is, before it goes on. */
  step(step: Step): Promise<void>;
}

/**
 * Asks the engine for one command, and gives back its answer as an outcome.
 *
 * @throws whatever the client does: an answer of the engine that is a failure, or a silence that leaves open what it did.
 */
export async function askEngine(asking: Asking, command: FleetCommand): Promise<FleetOutcome> {
  const { client, signal } = asking;
  const { containers } = client;
  switch (command.verb) {
    case 'create':
      return await create(asking, command);
    case 'start': {
      const id = idOf(asking);
      return { containerId: id, ...(await containers.start(id, { signal })) };
    }
    case 'stop':
      return await stop(asking, command);
    case 'restart': {
      const id = idOf(asking);
      await containers.restart(id, { graceMs: endless(command.graceMs), stopSignal: command.signal, signal });
      return { containerId: id, changed: true };
    }
    case 'kill':
      return await changed(asking, (id) => containers.kill(id, { stopSignal: killSignal(command.signal), signal }));
    case 'remove':
      return await changed(asking, (id) =>
        containers.remove(id, { force: command.force ?? false, v: command.volumes ?? false, signal }),
      );
    case 'pause':
      return await changed(asking, (id) => containers.pause(id, { signal }));
    case 'unpause':
      return await changed(asking, (id) => containers.unpause(id, { signal }));
    case 'rename':
      return await changed(asking, (id) => containers.rename(id, command.name, { signal }));
    case 'exec':
      return await exec(asking, command);
    case 'pull':
      return await pull(asking, command.image);
    case 'noop':
      return { changed: false };
    default:
      return command satisfies never;
  }
}

/** undefined for SIGKILL in any spelling: then the client waits until the process is gone. */
export function killSignal(signal: string | undefined): string | undefined {
  return signal === undefined || /^(?:(?:SIG)?KILL|9)$/i.test(signal) ? undefined : signal;
}

/** What a stop's result tells. */
export function stopOutcome(containerId: string, result: StopResult): FleetOutcome {
  const { changed: isChanged, outcome, exitCode, late } = result;
  return { containerId, changed: isChanged, stop: outcome, exitCode, ...(late ? { late } : {}) };
}

async function stop(
  asking: Asking,
  command: Extract<FleetCommand, { verb: 'stop' | 'restart' }>,
): Promise<FleetOutcome> {
  const id = idOf(asking);
  const options = { graceMs: endless(command.graceMs), stopSignal: command.signal, signal: asking.signal };
  return stopOutcome(id, await asking.client.containers.stop(id, options));
}

async function create(asking: Asking, command: Extract<FleetCommand, { verb: 'create' }>): Promise<FleetOutcome> {
  const { client, operationId, signal } = asking;
  const made = await client.containers.create(labelled(command.body, operationId), { name: command.name, signal });
  await asking.step({ step: 'created', containerId: made.Id });
  if (command.start === true) {
    await asking.step({ step: 'start' });
    await client.containers.start(made.Id, { signal });
  }
  return { containerId: made.Id, changed: true };
}

/** The engine checks the body; here it only gets its label. */
function labelled(body: Readonly<Record<string, unknown>>, operationId: string): CreateBody {
  const key = Object.keys(body).find((name) => name.toLowerCase() === 'labels') ?? 'Labels';
  const labels = body[key];
  if (labels !== undefined && labels !== null && (typeof labels !== 'object' || Array.isArray(labels))) {
    throw new EngineError('invalid-argument', 'Labels is not an object');
  }
  return { ...body, [key]: { ...labels, [OPERATION_LABEL]: operationId } };
}

async function exec(asking: Asking, command: Extract<FleetCommand, { verb: 'exec' }>): Promise<FleetOutcome> {
  const { argv, env, user, workingDir, stdin } = command;
  const id = idOf(asking);
  await using session = await asking.client.containers.spawn(id, argv, {
    ...{ env, user, workingDir, stdin: stdin !== undefined, signal: asking.signal },
    onCreated: (execId) => asking.step({ step: 'exec', execId }),
  });
  const feeding = stdin === undefined ? undefined : feed(session, stdin);
  // A program that ends without having read its input is no failure.
  feeding?.catch(() => {});
  const output = await cutOutput(session.output());
  const exitCode = await session.exitCode(asking.signal);
  return { containerId: id, changed: true, exitCode, ...output };
}

async function feed(
  session: { write(bytes: Uint8Array): Promise<void>; endInput(): void },
  stdin: string,
): Promise<void> {
  await session.write(Buffer.from(stdin));
  session.endInput();
}

async function pull(asking: Asking, image: string): Promise<FleetOutcome> {
  // Without a tag engines pull every tag there is.
  const reference = familiarReference(withDefaultTag(parseReference(image)));
  for await (const _ of asking.client.images.pull(reference, { signal: asking.signal })) continue;
  return { changed: true };
}

async function changed(asking: Asking, ask: (id: string) => Promise<unknown>): Promise<FleetOutcome> {
  const id = idOf(asking);
  await ask(id);
  return { containerId: id, changed: true };
}

function idOf({ containerId, operationId }: Asking): string {
  if (containerId === undefined) throw new EngineError('internal', `${operationId} has no container`);
  return containerId;
}

/** null, of a command, is Infinity to the client. */
function endless(graceMs: number | null | undefined): number | undefined {
  return graceMs === null ? Infinity : graceMs;
}
