import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isEngineError } from '@fairlead/protocol';
import { listDirectory, makeTemporaryDirectory, writeFileAtomically } from './files.ts';
import { closeDescriptor, openPipe } from './native.ts';
import { findProcess, processPresence } from './proc.ts';
import { ProgramFailedError, runOrThrow, runProgram, spawnProgram } from './process.ts';

const never = new AbortController().signal;

function openDescriptors(): Promise<number> {
  return listDirectory('/proc/self/fd').then(({ length }) => length);
}

describe('runProgram', { timeout: 30_000 }, () => {
  const cases = [
    {
      fact: 'gives back what was printed',
      script: 'echo out; echo err >&2',
      result: { exitCode: 0, stdout: 'out\n', stderr: 'err\n' },
    },
    { fact: 'takes any exit code as a result', script: 'exit 3', result: { exitCode: 3, signal: undefined } },
    { fact: 'counts a signal as 128 more', script: 'kill -9 $$', result: { exitCode: 137, signal: 'SIGKILL' } },
    { fact: 'feeds input', script: 'cat', input: 'é'.repeat(100_000), result: { stdout: 'é'.repeat(100_000) } },
    {
      fact: 'does not mind a program that leaves its input',
      script: 'exit 0',
      input: 'x'.repeat(1_000_000),
      result: { exitCode: 0 },
    },
    { fact: 'gives pipes that can be opened again', script: 'echo again > /dev/stdout', result: { stdout: 'again\n' } },
  ];
  for (const { fact, script, input, result } of cases) {
    it(fact, async () => {
      const options = { signal: never, ...(input === undefined ? {} : { input }) };
      const actual = await runProgram('sh', ['-c', script], options);
      assert.deepEqual({ ...actual, ...result }, actual);
    });
  }

  it('closes what is not listed', async () => {
    const ends = openPipe();
    const script = `[ ! -e /proc/self/fd/${ends.read} ] && [ ! -e /proc/self/fd/${ends.write} ]`;
    assert.equal((await runProgram('sh', ['-c', script], { signal: never })).exitCode, 0);
    for (const fd of [ends.read, ends.write]) closeDescriptor(fd);
  });

  it('is not held up by a grandchild that keeps the pipes', async () => {
    const startedAt = performance.now();
    assert.equal((await runProgram('sh', ['-c', 'sleep 10 & echo done'], { signal: never })).stdout, 'done\n');
    assert.ok(performance.now() - startedAt < 8_000);
  });

  it('kills and waits when aborted', async () => {
    const running = runProgram('sh', ['-c', 'exec sleep 60'], { signal: AbortSignal.timeout(50) });
    await assert.rejects(running, { name: 'TimeoutError' });
    const aborted = AbortSignal.abort(new Error('before'));
    await assert.rejects(runProgram('sleep', ['60'], { signal: aborted }), { message: 'before' });
  });

  it('kills a program that prints too much', async () => {
    const running = runProgram('yes', [], { signal: never, outputBytesMax: 10_000 });
    await assert.rejects(running, (error) => isEngineError(error) && error.kind === 'internal');
  });

  it('says why a program could not be started', async () => {
    await assert.rejects(runProgram('/nowhere/program', [], { signal: never }), { code: 'ENOENT' });
    await using directory = await makeTemporaryDirectory();
    await writeFileAtomically(`${directory.path}/text`, 'no program');
    await assert.rejects(runProgram(`${directory.path}/text`, [], { signal: never }), { code: 'EACCES' });
  });

  it('leaves no descriptor open, however it ends', async () => {
    await runProgram('true', [], { signal: never });
    const before = await openDescriptors();
    for (let count = 0; count < 30; count++) {
      await runProgram('true', [], { signal: never, input: 'x' });
      await runProgram('/nowhere', [], { signal: never }).catch(() => {});
      await runProgram('sleep', ['9'], { signal: AbortSignal.timeout(1) }).catch(() => {});
    }
    assert.equal(await openDescriptors(), before);
  });
});

describe('runOrThrow', () => {
  it('throws what the program said', async () => {
    const failure = await runOrThrow('sh', ['-c', 'echo no such thing >&2; exit 4'], { signal: never }).catch(
      (error: unknown) => error,
    );
    assert.ok(failure instanceof ProgramFailedError);
    assert.equal(failure.result.exitCode, 4);
    assert.equal(failure.message, 'sh -c ended with 4: no such thing');
  });
});

describe('spawnProgram', { timeout: 30_000 }, () => {
  it('gives extra pipes in both directions', async () => {
    await using program = await spawnProgram('sh', ['-c', 'read line <&3; echo "got $line" >&4'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe-in', 'pipe'],
    });
    program.pipes[3]?.end('it\n');
    let text = '';
    for await (const chunk of program.pipes[4] ?? []) text += String(chunk);
    assert.equal(text, 'got it\n');
    assert.deepEqual(await program.exited, { exitCode: 0, signal: undefined });
  });

  it('makes a program wait whose output is not read', async () => {
    await using program = await spawnProgram('sh', ['-c', 'yes | head -c 5000000'], { stdio: ['ignore', 'pipe'] });
    const first = await Promise.race([program.exited, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]);
    assert.equal(first, 'waits');
    let length = 0;
    for await (const chunk of program.pipes[1] ?? []) length += (chunk as Buffer).length;
    assert.equal(length, 5_000_000);
  });

  it('kills what still runs when disposed', async () => {
    const program = await spawnProgram('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore'] });
    const process = findProcess(program.pid);
    assert.ok(process !== undefined);
    await program[Symbol.asyncDispose]();
    assert.equal(processPresence(process), 'gone');
  });
});
