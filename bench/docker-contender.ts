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

interface CreateOptions {
  readonly command: readonly string[];
  readonly attached?: boolean;
}

/** Imports the image from `rootfs` (a tar) and starts the container that execs go to. Disposing removes it; the engine stays the caller's. */
export async function dockerContender(engine: StartedEngine, rootfs: Uint8Array): Promise<Contender> {
  const { http } = engine;
  await http.upload('/images/create?fromSrc=-&repo=bench&tag=latest', rootfs);
  const create = async ({ command, attached = false }: CreateOptions): Promise<string> => {
    const created = await http.call('POST', '/containers/create', {
      Image: IMAGE,
      Cmd: command,
      AttachStdout: attached,
      AttachStderr: attached,
      HostConfig: {
        ...engine.hostConfig,
        NetworkMode: 'none',
        Binds: [`${engine.textDirectory}:${dirname(TEXT_PATH)}:ro`],
      },
    });
    return idOf(created);
  };
  const remove = (id: string): Promise<unknown> => http.call('DELETE', `/containers/${id}?force=1`);
  const startIdle = async (): Promise<string> => {
    const id = await create({ command: ['sleep', '1000000'] });
    await http.call('POST', `/containers/${id}/start`);
    return id;
  };
  const target = await startIdle();
  const exec = async (command: readonly string[]): Promise<number> => {
    const id = idOf(
      await http.call('POST', `/containers/${target}/exec`, { Cmd: command, AttachStdout: true, AttachStderr: true }),
    );
    const bytes = await http.hijack(`/exec/${id}/start`, { Detach: false, Tty: false });
    expectSuccess(await http.call('GET', `/exec/${id}/json`), 'ExitCode');
    return bytes;
  };
  return {
    name: engine.name,
    version: engine.version,
    coldStartMs: engine.coldStartMs,
    runTrue: async () => {
      const id = await create({ command: ['true'] });
      await http.call('POST', `/containers/${id}/start`);
      expectSuccess(await http.call('POST', `/containers/${id}/wait`), 'StatusCode');
      await http.call('DELETE', `/containers/${id}`);
    },
    execTrue: async () => void (await exec(['true'])),
    execOutput: (bytes) => exec(writeOut(bytes)),
    attachedOutput: async (bytes) => {
      const id = await create({ command: writeOut(bytes), attached: true });
      const attached = Promise.withResolvers<void>();
      const received = http.hijack(`/containers/${id}/attach?stream=1&stdout=1&stderr=1`, undefined, attached.resolve);
      await Promise.race([attached.promise, received]);
      await http.call('POST', `/containers/${id}/start`);
      const total = await received;
      expectSuccess(await http.call('POST', `/containers/${id}/wait`), 'StatusCode');
      await http.call('DELETE', `/containers/${id}`);
      return total;
    },
    idle: async (count) => {
      const ids: string[] = [];
      for (let at = 0; at < count; at++) ids.push(await startIdle());
      return { [Symbol.asyncDispose]: async () => void (await Promise.all(ids.map(remove))) };
    },
    engineRssBytes: () => {
      const ofEngine = descendants(processWeights(), engine.pid).filter(
        ({ contained, name }) => !contained && !isMonitor(name),
      );
      return ofEngine.reduce((sum, { rssBytes }) => sum + rssBytes, 0);
    },
    [Symbol.asyncDispose]: async () => {
      await remove(target);
      http.close();
    },
  };
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
