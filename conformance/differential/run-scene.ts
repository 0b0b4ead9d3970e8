import type { EngineUnderTest } from '../engines.ts';
import { ask, RawConnection } from '../raw-http.ts';
import { normalize } from './normalize.ts';
import type { Answer, Scene, Step } from './step.ts';

/** The newest version that dockerd 20.10 speaks. */
const PREFIX = '/v1.41';

/** Holds a scene with an engine; one answer for each step. */
export async function runScene(engine: EngineUnderTest, scene: Scene): Promise<readonly Answer[]> {
  const kept = new Map<string, string>();
  const answers: Answer[] = [];
  for (const step of scene.steps) {
    const answer = step.hijack === undefined ? await plain(engine, step, kept) : await hijacked(engine, step, kept);
    const id = idOf(answer.body);
    if (step.keep !== undefined && id !== undefined) kept.set(step.keep, id);
    answers.push(normalize(answer, kept));
  }
  return answers;
}

async function plain(engine: EngineUnderTest, step: Step, kept: ReadonlyMap<string, string>): Promise<Answer> {
  const { body } = step;
  const answer = await ask(engine.socketPath, withIds(step.target, kept), {
    ...(step.json === undefined ? {} : { json: step.json }),
    ...(body === undefined
      ? {}
      : { body: body.text, headers: body.type === undefined ? {} : { 'Content-Type': body.type } }),
  });
  const contentType = answer.headers['content-type'] ?? '';
  return { status: answer.status, contentType, body: parsed(answer.body, contentType) };
}

async function hijacked(engine: EngineUnderTest, step: Step, kept: ReadonlyMap<string, string>): Promise<Answer> {
  using connection = await RawConnection.open(engine.socketPath);
  const target = withIds(step.target, kept);
  const text = JSON.stringify(step.json ?? {});
  const upgrade = step.hijack?.upgrade === true ? ['Connection: Upgrade', 'Upgrade: tcp'] : [];
  const length = `Content-Length: ${Buffer.byteLength(text)}`;
  await connection.send(
    [`${target} HTTP/1.1`, 'Host: docker', ...upgrade, 'Content-Type: application/json', length, '', text].join('\r\n'),
  );
  const head = await connection.head();
  await connection.send(step.hijack?.input ?? '');
  connection.halfClose();
  const chunks: Buffer[] = [];
  for await (const chunk of connection.rest()) chunks.push(chunk);
  const contentType = head.lines.find((line) => /^content-type:/i.test(line))?.replace(/^content-type:\s*/i, '') ?? '';
  return { status: head.status, contentType, body: parsed(Buffer.concat(chunks).toString('latin1'), contentType) };
}

function withIds(target: string, kept: ReadonlyMap<string, string>): string {
  const [method = '', path = ''] = target.split(' ');
  const known = new Map([...kept, ['now', String(Math.ceil(Date.now() / 1000))]]);
  return `${method} ${PREFIX}${path.replace(/\{(\w+)\}/g, (_all, name: string) => known.get(name) ?? name)}`;
}

function parsed(text: string, contentType: string): unknown {
  if (!contentType.startsWith('application/json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    // Several documents, one a line.
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }
}

function idOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('Id' in body)) return undefined;
  return typeof body.Id === 'string' ? body.Id : undefined;
}
