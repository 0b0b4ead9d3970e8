/** An engine that speaks Docker's API, measured over its socket. */
import type { Contender } from './contender.ts';
import { TEXT_PATH, writeOut } from './contender.ts';
import type { EngineHttp } from './engine-http.ts';
import { dirname } from 'node:path';
import { descendants, isMonitor, processWeights } from './memory.ts';

/** A started engine. */
export interface StartedEngine extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly http: EngineHttp;
  readonly pid: number;
  readonly coldStartMs: number;
  /** Directory on the host that holds the text file. */
  readonly textDirectory: string;
  /** What this engine needs in every HostConfig. */
  readonly hostConfig: Readonly<Record<string, unknown>>;
}

const IMAGE = 'bench:latest';

/** Imports the image from `rootfs` (a tar) and starts the container that execs go to. Disposing removes it; the engine stays the caller's. */
export async function dockerContender(engine: StartedEngine, rootfs: Uint8Array): Promise<Contender> {
  const { http } = engine;
  await http.upload('/images/create?fromSrc=-&repo=bench&tag=latest', rootfs);
  const target = await startIdle(engine);
  return {
    name: engine.name,
    version: engine.version,
    coldStartMs: engine.coldStartMs,
    runTrue: async () => {
      const id = await create(engine, ['true']);
      await http.call('POST', `/containers/${id}/start`);
      await collect(http, id);
    },
    execTrue: async () => void (await exec(http, target, ['true'])),
    execOutput: (bytes) => exec(http, target, writeOut(bytes)),
    attachedOutput: async (bytes) => {
      const id = await create(engine, writeOut(bytes));
      const attached = Promise.withResolvers<void>();
      const received = http.hijack(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`, undefined, attached.resolve);
      await Promise.race([attached.promise, received]);
      await http.call('POST', `/containers/${id}/start`);
      const total = await received;
      await collect(http, id);
      return total;
    },
    idle: async (count) => {
      const ids: string[] = [];
      for (let at = 0; at < count; at++) ids.push(await startIdle(engine));
      return { [Symbol.asyncDispose]: async () => void (await Promise.all(ids.map((id) => remove(http, id)))) };
    },
    engineRssBytes: () => {
      const ofEngine = descendants(processWeights(), engine.pid).filter(
        ({ contained, name }) => !contained && !isMonitor(name),
      );
      return ofEngine.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
    },
    [Symbol.asyncDispose]: async () => {
      await remove(http, target);
      http.close();
    },
  };
}

async function create({ http, hostConfig, textDirectory }: StartedEngine, command: readonly string[]): Promise<string> {
  const created = await http.call('POST', '/containers/create', {
    Image: IMAGE,
    Cmd: command,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: { ...hostConfig, NetworkMode: 'none', Binds: [`${textDirectory}:${dirname(TEXT_PATH)}:ro`] },
  });
  return idOf(created);
}

async function startIdle(engine: StartedEngine): Promise<string> {
  const id = await create(engine, ['sleep', '1000000']);
  await engine.http.call('POST', `/containers/${id}/start`);
  return id;
}

/** Waits for a container's end, wants exit code 0, and removes it. */
async function collect(http: EngineHttp, id: string): Promise<void> {
  expectSuccess(await http.call('POST', `/containers/${id}/wait`), 'StatusCode');
  await http.call('DELETE', `/containers/${id}`);
}

async function remove(http: EngineHttp, id: string): Promise<void> {
  await http.call('DELETE', `/containers/${id}?force=1`);
}

/** Create, start, read to the end, ask for the exit code: what `docker exec` does. Returns bytes received. */
async function exec(http: EngineHttp, target: string, command: readonly string[]): Promise<number> {
  const id = idOf(
    await http.call('POST', `/containers/${target}/exec`, { Cmd: command, AttachStdout: true, AttachStderr: true }),
  );
  const bytes = await http.hijack(`/exec/${id}/start`, { Detach: false, Tty: false });
  expectSuccess(await http.call('GET', `/exec/${id}/json`), 'ExitCode');
  return bytes;
}

function idOf(answer: unknown): string {
  const id = (answer as { readonly Id?: string } | undefined)?.Id;
  if (id === undefined) throw new Error(`no Id in ${JSON.stringify(answer)}`);
  return id;
}

function expectSuccess(answer: unknown, field: 'ExitCode' | 'StatusCode'): void {
  const code = (answer as Readonly<Record<string, unknown>>)[field];
  if (code !== 0) throw new Error(`${field} is ${String(code)}, expected 0`);
}
