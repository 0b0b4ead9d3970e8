/** The OCI runtime by itself: no engine, no records, no logs. What any engine on top of it can reach at best. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEXT_PATH, writeOut, type Contender } from './contender.ts';
import { firstLine } from './engines.ts';

/** Containers of `runtime`, all on one root filesystem, unpacked in `rootfs`. */
export async function bareRuntime(
  runtime: string,
  home: string,
  { rootfs, textDirectory }: { readonly rootfs: string; readonly textDirectory: string },
): Promise<Contender> {
  const state = ['--root', join(home, 'state')];
  mkdirSync(join(home, 'state'), { recursive: true });
  let made = 0;
  const bundle = (command: readonly string[]): { readonly id: string; readonly directory: string } => {
    const id = `bench-bare-${process.pid}-${made++}`;
    const directory = join(home, id);
    mkdirSync(directory);
    writeFileSync(
      join(directory, 'config.json'),
      JSON.stringify(configOf(home, runtime, { rootfs, textDirectory, command })),
    );
    return { id, directory };
  };
  const run = async (command: readonly string[]): Promise<number> => {
    const { id, directory } = bundle(command);
    const bytes = await readAll(runtime, [...state, 'run', '--bundle', directory, id]);
    rmSync(directory, { recursive: true });
    return bytes;
  };
  const startIdle = async (): Promise<string> => {
    const { id, directory } = bundle(['sleep', '1000000']);
    await finished(runtime, [...state, 'run', '--detach', '--bundle', directory, id]);
    return id;
  };
  const remove = (id: string): Promise<void> => finished(runtime, [...state, 'delete', '--force', id]);
  const target = await startIdle();
  return {
    name: `bare ${runtime}`,
    version: firstLine(runtime, ['--version']),
    coldStartMs: undefined,
    runTrue: async () => void (await run(['true'])),
    execTrue: () => finished(runtime, [...state, 'exec', target, 'true']),
    execOutput: (bytes) => readAll(runtime, [...state, 'exec', target, ...writeOut(bytes)]),
    attachedOutput: (bytes) => run(writeOut(bytes)),
    idle: async (count) => {
      const ids: string[] = [];
      for (let at = 0; at < count; at++) ids.push(await startIdle());
      return { [Symbol.asyncDispose]: async () => void (await Promise.all(ids.map(remove))) };
    },
    engineRssBytes: () => undefined,
    [Symbol.asyncDispose]: async () => {
      await remove(target);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface BareContainer {
  readonly rootfs: string;
  readonly textDirectory: string;
  readonly command: readonly string[];
}

/** The runtime's own default configuration, without a terminal and with the text mounted. */
function configOf(home: string, runtime: string, { rootfs, textDirectory, command }: BareContainer): unknown {
  const template = join(home, 'template');
  mkdirSync(template, { recursive: true });
  rmSync(join(template, 'config.json'), { force: true });
  spawnSync(runtime, ['spec'], { cwd: template });
  const config = JSON.parse(readFileSync(join(template, 'config.json'), 'utf8')) as {
    process: { args: readonly string[]; terminal: boolean };
    root: { path: string; readonly: boolean };
    mounts: unknown[];
  };
  config.process.args = command;
  config.process.terminal = false;
  config.root.path = rootfs;
  config.mounts.push({
    destination: dirname(TEXT_PATH),
    type: 'bind',
    source: textDirectory,
    options: ['rbind', 'ro'],
  });
  return config;
}

function finished(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')}: exit ${code}`)),
    );
  });
}

function readAll(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.byteLength));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(bytes) : reject(new Error(`${program} ${args.join(' ')}: exit ${code}`)),
    );
  });
}
