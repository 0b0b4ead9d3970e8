import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOCKER_PROGRAM } from '../docker-cli.ts';
import { FairleadCli } from '../fairlead-cli.ts';
import { IGNORES_TERM } from '../programs.ts';
import { RawConnection } from '../raw-http.ts';
import type { CommandResult, RunningCommand } from '../running-command.ts';
import { FAIRLEAD_ALONE, type Session, sessions } from '../sessions.ts';

/** What a trace prints with `--json`, as far as these tests read it. */
interface Trace {
  readonly exitCode: number | null;
  readonly problems: number;
  readonly findings: readonly {
    readonly id: string;
    readonly level: string;
    readonly summary: string;
    readonly details: readonly string[];
  }[];
  readonly connections: readonly {
    readonly firstToEnd: string | null;
    readonly clientBytes: number;
    readonly engineBytes: number;
  }[];
  readonly exchanges: readonly { readonly endpoint: string | null; readonly answer?: { readonly status: number } }[];
}

const PYTHON = '/usr/bin/python3';
const PY_STORY = join(import.meta.dirname, '../foreign/trace-story.py');
const DOCKERODE = dirname(fileURLToPath(import.meta.resolve('dockerode/package.json')));

/** `fairlead trace` of a session's engine. */
class Tracer {
  readonly #session: Session;
  readonly #cli: FairleadCli;

  constructor(session: Session) {
    this.#session = session;
    const { directory, socketPath } = session.engine;
    this.#cli = new FairleadCli(`unix://${socketPath}`, { DOCKER_CONFIG: directory, HOME: directory });
  }

  /** Runs a command under it, and gives back what it printed and the trace. */
  async run(
    command: readonly string[],
    options: { flags?: readonly string[]; input?: string } = {},
  ): Promise<{ result: CommandResult; trace: Trace }> {
    const file = join(this.#session.engine.directory, `${this.#session.name()}.json`);
    const result = await this.#cli.run(
      ['trace', '--json', '-o', file, ...(options.flags ?? []), '--', ...command],
      options.input,
    );
    return { result, trace: JSON.parse(readFileSync(file, 'utf8')) as Trace };
  }

  start(args: readonly string[]): RunningCommand {
    return this.#cli.start(['trace', ...args]);
  }

  async print(...args: readonly string[]): Promise<CommandResult> {
    return await this.#cli.run(['trace', ...args]);
  }

  /** At a terminal: what both print comes mixed. */
  atTerminal(file: string, command: readonly string[]): RunningCommand {
    return this.#cli.atTerminal(['trace', '--json', '-o', file, '--', ...command]);
  }
}

function assertNothingWrong(trace: Trace, what: string): void {
  assert.deepEqual(
    trace.findings.filter(({ level }) => level === 'problem'),
    [],
    what,
  );
  assert.ok(trace.exchanges.length > 0, `${what}: nobody talked`);
}

/** A Node program that tells the story with a socket of its own: a timeout that equals the grace, as far as a busy machine lets it. */
const RAW_STORY = `
  const path = process.env.DOCKER_HOST.slice('unix://'.length);
  const socket = require('node:net').connect(path);
  socket.write('POST /containers/' + process.argv[1] + '/stop?t=2 HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 0\\r\\n\\r\\n');
  socket.on('data', () => process.exit(0));
  setTimeout(() => { console.log('gave up'); process.exit(1); }, 2000 - 200);
`;

sessions(
  'fairlead trace',
  (session) => {
    it('tells the story of the stop that lied: who closed first, the grace, the timeout and the end of the container', async () => {
      const name = await session.background([], IGNORES_TERM);
      await session.docker.ok('logs', name);
      const { stdout, stderr, exitCode } = await new Tracer(session).print(
        '--',
        process.execPath,
        '-e',
        RAW_STORY,
        name,
      );
      assert.deepEqual([stdout, exitCode], ['gave up\n', 1], stderr);
      assert.match(
        stderr,
        new RegExp(`✗ The client hung up first, after [12]\\.\\d+ s on \`POST /containers/${name}/stop\\?t=2\``),
      );
      assert.match(
        stderr,
        /had been told to wait up to 2\.0 s before SIGKILL \(`t=2` in the request\), so it (could|need) not have answered sooner/,
      );
      assert.match(stderr, new RegExp(`"${name}" (had )?stopped .*exit 137, killed`));
      assert.match(stderr, /Raise the client's timeout to at least 1\d\.\d s: 2\.0 s of grace \+/);
      assert.match(stderr, /#1 {2}→ the client closes the connection first, .* which has no answer/);
    });

    it('finds nothing wrong with sessions of the docker client, and exits as it does', async () => {
      const tracer = new Tracer(session);
      const name = session.name();
      const ran = await tracer.run([DOCKER_PROGRAM, 'run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; exit 3'], {
        input: 'through\n',
      });
      assert.deepEqual([ran.result.stdout, ran.result.exitCode, ran.trace.exitCode], ['through\n', 3, 3]);
      assertNothingWrong(ran.trace, 'run');
      writeFileSync(join(session.engine.directory, 'copied'), 'x');
      const many = [
        `run -d --name ${name} busybox sleep 1000`,
        `exec ${name} sh -c 'exit 4'`,
        `exec -d ${name} true`,
        `cp ${join(session.engine.directory, 'copied')} ${name}:/tmp/x`,
        `logs ${name}`,
        `inspect ${name}`,
        'ps',
        `stop -t 1 ${name}`,
        `rm ${name}`,
      ];
      const script = many.map((words) => `${DOCKER_PROGRAM} ${words}`).join('\n');
      const { trace } = await tracer.run(['sh', '-c', script]);
      assertNothingWrong(trace, 'many commands');
      assert.ok(trace.connections.length > many.length);
    });

    it('finds nothing wrong with a terminal, and with detaching from it', async () => {
      const tracer = new Tracer(session);
      const name = await session.background(['-it'], ['sh']);
      const file = join(session.engine.directory, `${name}.json`);
      {
        const [run, exec] = [
          `${DOCKER_PROGRAM} run -it --rm busybox sh -c 'read line; echo run $line'`,
          `${DOCKER_PROGRAM} exec -it ${name} sh -c 'tty; read line; exit 5'`,
        ];
        await using both = tracer.atTerminal(file, ['sh', '-c', `${run}; ${exec}`]);
        both.write('first\r');
        await both.says(/run first\s+\/dev\/pts/);
        both.write('x\r');
        assert.equal((await both.result()).exitCode, 5);
      }
      assertNothingWrong(JSON.parse(readFileSync(file, 'utf8')) as Trace, 'run -it and exec -it');
      await using attach = tracer.atTerminal(file, [DOCKER_PROGRAM, 'attach', name]);
      await attach.says(/# /);
      attach.write('\x10\x11');
      await attach.result();
      const detached = JSON.parse(readFileSync(file, 'utf8')) as Trace;
      assertNothingWrong(detached, 'attach');
      assert.deepEqual(
        detached.findings.map(({ id }) => id),
        ['detached'],
      );
      assert.equal(await session.inspect(name, '{{.State.Status}}'), 'running');
    });
  },
  { kinds: ['fairlead', 'dockerd'] },
);

sessions(
  'fairlead trace: what it can be told',
  (session) => {
    it('passes signals on, and knows that a person who breaks off does not give up', async () => {
      const name = await session.background([], ['sh', '-c', 'while :; do echo tick; sleep 0.1; done']);
      const file = join(session.engine.directory, `${name}.json`);
      await using command = new Tracer(session).start(['--json', '-o', file, '--', DOCKER_PROGRAM, 'logs', '-f', name]);
      await command.says(/tick/);
      command.signal('SIGINT');
      await command.result();
      const trace = JSON.parse(readFileSync(file, 'utf8')) as Trace;
      assertNothingWrong(trace, 'logs -f');
      assert.equal(trace.connections[0]?.firstToEnd, 'client');
    });

    it('works with docker-py, and tells its story', async () => {
      const tracer = new Tracer(session);
      const name = await session.background([], IGNORES_TERM);
      await session.docker.ok('logs', name);
      const exec = await tracer.run([PYTHON, PY_STORY, name, 'exec']);
      assert.equal(exec.result.stdout, '7\n', exec.result.stderr);
      assertNothingWrong(exec.trace, 'exec_run');
      const { result, trace } = await tracer.run([PYTHON, PY_STORY, name]);
      assert.deepEqual([result.exitCode, result.stdout], [1, 'ReadTimeout\n'], result.stderr);
      const story = trace.findings.find(({ id }) => id === 'client-left-during-stop');
      assert.match(story?.details.join(' ') ?? '', /exit 137, killed/);
    });

    it('works with dockerode, and tells who never asked for an exit code', async () => {
      const name = await session.background();
      const program = `
        const Docker = require(${JSON.stringify(DOCKERODE)});
        (async () => {
          const exec = await new Docker().getContainer(process.argv[1]).exec({ Cmd: ['sh', '-c', 'echo hi; exit 9'], AttachStdout: true });
          const stream = await exec.start({});
          stream.resume();
          await new Promise((resolve) => stream.on('end', resolve));
          if (process.argv[2] === 'ask') console.log((await exec.inspect()).ExitCode);
        })();`;
      const tracer = new Tracer(session);
      const asked = await tracer.run([process.execPath, '-e', program, name, 'ask']);
      assert.equal(asked.result.stdout, '9\n', asked.result.stderr);
      assertNothingWrong(asked.trace, 'exec and inspect');
      const { trace } = await tracer.run([process.execPath, '-e', program, name]);
      const [finding] = trace.findings;
      assert.deepEqual(
        [finding?.id, finding?.level, finding?.details],
        ['exec-exit-code-not-asked', 'problem', ['The tracer asked: it was 9.']],
      );
    });

    it("asks for the container's own grace when the request has none, and stops looking when told to", async () => {
      const name = await session.background(['--stop-timeout', '100'], IGNORES_TERM);
      await session.docker.ok('logs', name);
      const program = RAW_STORY.replace('?t=2', '').replace('2000 - 200', '300');
      const { trace } = await new Tracer(session).run([process.execPath, '-e', program, name], {
        flags: ['--look', '500ms'],
      });
      const [finding] = trace.findings;
      assert.equal(finding?.id, 'client-left-during-stop');
      assert.match(
        finding.details[0] ?? '',
        /up to 100\.0 s before SIGKILL \(the container's own StopTimeout\).*shorter than the grace/,
      );
      assert.match(finding.details[1] ?? '', /was still running .* when the tracer stopped looking/);
    });

    it('saves a recording that it prints again, with what was asked for in it and no secrets', async () => {
      const file = join(session.engine.directory, session.name());
      const args = ['run', '--rm', '-e', 'TOKEN=s3cret', 'busybox', 'echo', 'hello'];
      const first = await new Tracer(session).print('--bodies', '--save', file, '--', DOCKER_PROGRAM, ...args);
      assert.deepEqual([first.stdout, first.exitCode], ['hello\n', 0], first.stderr);
      const again = await new Tracer(session).print('--read', file);
      assert.equal(again.stdout, first.stderr);
      assert.match(again.stdout, /"Env":\["TOKEN=\(redacted, 6 characters\)"\]/);
      assert.match(again.stdout, /\| hello\n/);
      assert.ok(!readFileSync(file, 'utf8').includes('s3cret'));
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const har = JSON.parse((await new Tracer(session).print('--read', file, '--har')).stdout) as {
        log: { entries: { comment?: string }[] };
      };
      assert.ok(har.log.entries.some(({ comment }) => comment?.startsWith('hijacked') === true));
    });

    it('stays up for programs that connect by themselves, and prints as it goes', async () => {
      const socket = join(session.engine.directory, `${session.name()}.sock`);
      // A tracer that was killed leaves its socket behind.
      execFileSync(PYTHON, ['-c', 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])', socket]);
      await using listening = new Tracer(session).start(['--listen', socket]);
      await listening.says(/leads to/, { stream: 'stderr' });
      assert.equal(statSync(socket).mode & 0o777, 0o600);
      const name = await session.background([], IGNORES_TERM);
      await session.docker.ok('logs', name);
      {
        using client = await RawConnection.open(socket);
        await client.request(`POST /containers/${name}/stop?t=2`, 'Content-Length: 0');
        await listening.says(/→ POST \/containers/);
        await sleep(100);
      }
      await listening.says(/✗ The client hung up first/);
      listening.signal('SIGTERM');
      assert.equal((await listening.result()).exitCode, 0);
      assert.match(listening.stdout, /1 problem:/);
      assert.ok(!existsSync(socket));
    });

    it('refuses what it cannot do, before anything runs', async () => {
      const tracer = new Tracer(session);
      const refused: readonly { args: readonly string[]; exitCode: number; says: RegExp }[] = [
        { args: [], exitCode: 125, says: /which command/ },
        { args: ['--listen', 'tcp://0.0.0.0:1'], exitCode: 125, says: /only addresses of this machine/ },
        { args: ['--listen', session.engine.socketPath], exitCode: 1, says: /in use: another program listens there/ },
        { args: ['--json', '--har', '--', 'true'], exitCode: 125, says: /not both/ },
        { args: ['--', 'no-such-program'], exitCode: 127, says: /no-such-program: no such program/ },
        { args: ['--read', session.engine.imagePath], exitCode: 1, says: /not of a recording of fairlead trace/ },
      ];
      for (const { args, exitCode, says } of refused) {
        const result = await tracer.print(...args);
        assert.equal(result.exitCode, exitCode, args.join(' '));
        assert.match(result.stderr, says);
      }
    });

    it('says when the engine cannot be reached', async () => {
      const nowhere = join(session.engine.directory, 'nowhere.sock');
      const { trace } = await new Tracer(session).run([DOCKER_PROGRAM, 'ps'], {
        flags: ['--host', `unix://${nowhere}`],
      });
      assert.ok(
        trace.findings.every(({ id }) => id === 'engine-unreachable') && trace.problems > 0,
        JSON.stringify(trace.findings),
      );
      assert.match(trace.findings[0]?.summary ?? '', /there is no such socket.*\(ENOENT\)/);
    });
  },
  { kinds: FAIRLEAD_ALONE },
);
