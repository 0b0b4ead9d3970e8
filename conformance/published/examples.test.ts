import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { RunningCommand } from '../running-command.ts';
import { sessions, type Session } from '../sessions.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

function ownLines(name: string): number {
  return readFileSync(join(EXAMPLES, `${name}.ts`), 'utf8').split('\n').length - 1;
}

/** What each prints. Those with what they do at a terminal, or with arguments, have tests of their own below. */
const PRINTS: Readonly<Record<string, string>> = {
  'stop-with-deadline': 'a minute of grace does not fit into 20 seconds\nkilled, exit code 137\n',
  'exec-with-stdin': `${ownLines('exec-with-stdin')} lines, exit code 0
ls: /nosuch: No such file or directory (exit code 1)
`,
  'follow-logs': 'on stderr: oops\n5 lines\n',
  'events-with-reconnect': '3 containers ended\n',
  'sandboxed-code': [
    'echo 6 times 7 is $((6 * 7)) → exit code 0: 6 times 7 is 42',
    'touch /etc/mine → exit code 1: touch: /etc/mine: Read-only file system',
    'while :; do :; done → it took too long: ',
    'yes → it wrote too much: y',
    '',
  ].join('\n'),
};

function start(session: Session, name: string, args: readonly string[] = []): RunningCommand {
  return new RunningCommand({
    program: process.execPath,
    args: [join(EXAMPLES, `${name}.ts`), ...args],
    env: { PATH: process.env['PATH'] ?? '', DOCKER_HOST: session.engine.host },
  });
}

sessions('examples', (session) => {
  for (const [name, prints] of Object.entries(PRINTS)) {
    it(`${name} does what it says`, async () => {
      await using example = start(session, name);
      const { exitCode, stdout, stderr } = await example.result();
      assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: prints }, stderr);
    });
  }

  it('engine-in-process does what it says', async () => {
    const root = join(session.engine.directory, 'in-process');
    await using example = start(session, 'engine-in-process', [root, session.engine.imagePath]);
    const { exitCode, stdout, stderr } = await example.result();
    assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: 'hello from inside, exit code 0\n' }, stderr);
  });

  it('interactive-shell is one: it takes what is typed and puts the terminal back', async () => {
    const command = `before=$(stty -g); ${process.execPath} ${join(EXAMPLES, 'interactive-shell.ts')}; [ "$before" = "$(stty -g)" ] && echo restored`;
    await using example = new RunningCommand({
      program: 'script',
      args: ['-qefc', command, '/dev/null'],
      env: { PATH: process.env['PATH'] ?? '', SHELL: '/bin/sh', DOCKER_HOST: session.engine.host },
    });
    await example.says(/\/ # /);
    example.write('echo $((6 * 7)); exit 4\r');
    const { stdout } = await example.result();
    assert.match(stdout, /\r\n42\r\n/);
    assert.match(stdout, /the shell ended with 4\r\nrestored/);
  });

  it('none is left out', () => {
    const there = readdirSync(EXAMPLES).map((file) => file.replace('.ts', ''));
    const tried = [...Object.keys(PRINTS), 'engine-in-process', 'interactive-shell'];
    assert.deepEqual(there.toSorted(), tried.toSorted());
  });
});
