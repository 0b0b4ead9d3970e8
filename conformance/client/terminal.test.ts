import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { type Client, connect } from '@fairlead/client';
import { EngineUnderTest } from '../engines.ts';
import { eventually } from '../eventually.ts';
import { Tmux } from '../tmux.ts';

const PROGRAM = join(import.meta.dirname, 'terminal-program.ts');
const SIZE = { rows: 30, columns: 90 };

// On a real terminal: what is put back is what `stty -a` says it was.
describe('pipeTerminal', () => {
  let engine: EngineUnderTest;
  let docker: Client;
  before(async () => {
    engine = await EngineUnderTest.start('fairlead');
    docker = await connect({ host: engine.host, env: {} });
    const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' } };
    await docker.containers.create(body, { name: 'web' });
    await docker.containers.start('web');
  });
  after(async () => {
    await docker[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
  });

  let files = 0;
  /** Starts the program between two looks at the terminal. @returns what compares them, once the program has ended. */
  const session = async (tmux: Tmux, mode = ''): Promise<() => Promise<void>> => {
    files += 1;
    const [first, last] = ['before', 'after'].map((word) => join(engine.directory, `${word}-${files}`));
    const program = `${process.execPath} ${PROGRAM} ${engine.host} web ${mode}`;
    await tmux.line(`stty -a > ${first}; ${program}; echo "code $?"; stty -a > ${last}; echo over`);
    await tmux.until(/inner\$/);
    return async () => {
      await tmux.until(/^over$/m);
      assert.equal(readFileSync(last ?? '', 'utf8'), readFileSync(first ?? '', 'utf8'));
    };
  };

  it('tells the size at the start and whenever it changes, and ends with the program', async () => {
    await using tmux = await Tmux.start(SIZE);
    const putBack = await session(tmux);
    await tmux.line('stty size');
    await tmux.until(/^30 90$/m);
    await tmux.resize({ rows: 40, columns: 100 });
    // The new size travels on its own: asked for until it is there.
    await tmux.line('until [ "$(stty size)" = "40 100" ]; do sleep 0.05; done; echo resized');
    await tmux.until(/^resized$/m);
    await tmux.resize(SIZE);
    await tmux.line('until [ "$(stty size)" = "30 90" ]; do sleep 0.05; done; echo again');
    await tmux.until(/^again$/m);
    await tmux.line('exit 3');
    await tmux.until(/ended: stream-ended, 3\s+code 0$/m);
    await putBack();
  });

  it('passes ctrl-c on to the program, and leaves it on ctrl-p ctrl-q', async () => {
    await using tmux = await Tmux.start(SIZE);
    const putBack = await session(tmux);
    await tmux.line('trap "echo interrupted" INT; sleep 100; echo going on');
    await tmux.keys('C-c');
    await tmux.until(/going on/);
    await tmux.keys('C-p', 'C-q');
    const [, id = ''] = await tmux.until(/ended: detached, ([0-9a-f]{12})$/m);
    await putBack();
    const { ExecIDs } = await docker.containers.inspect('web');
    const whole = ExecIDs?.find((known) => known.startsWith(id)) ?? '';
    assert.equal((await docker.containers.inspectExec(whole)).Running, true);
  });

  for (const signal of ['TERM', 'HUP'] as const) {
    it(`puts the terminal back when it dies of SIG${signal}`, async () => {
      await using tmux = await Tmux.start(SIZE);
      const putBack = await session(tmux);
      process.kill(await pidOf('terminal-program.ts', engine.host), `SIG${signal}`);
      await tmux.until({ TERM: /code 143$/m, HUP: /code 129$/m }[signal]);
      await putBack();
    });
  }

  it('puts the terminal back when it dies of a bug', async () => {
    await using tmux = await Tmux.start(SIZE);
    const putBack = await session(tmux, 'throw');
    await tmux.until(/a bug of ours/);
    await tmux.until(/code 1$/m);
    await putBack();
  });

  it('puts the terminal back when the engine is killed', async () => {
    await using tmux = await Tmux.start(SIZE);
    const putBack = await session(tmux);
    await engine.kill();
    await tmux.until(/failed: .*The session's stream ended, and its exit code cannot be known/);
    await putBack();
    await engine.restart();
  });
});

async function pidOf(program: string, argument: string): Promise<number> {
  const { readdir, readFile } = await import('node:fs/promises');
  let pid = 0;
  await eventually(async () => {
    for (const entry of await readdir('/proc')) {
      const words = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      const [interpreter = ''] = words.split('\0');
      if (interpreter.endsWith('node') && words.includes(program) && words.includes(argument)) pid = Number(entry);
    }
    return pid !== 0;
  }, true);
  return pid;
}
