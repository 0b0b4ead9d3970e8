import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { DockerCli } from '../docker-cli.ts';
import { eventually } from '../eventually.ts';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

const REQUEST = /^(?:GET|HEAD|POST|PUT|DELETE) \S+(?= HTTP\/1\.1\r$)/gm;

/** Stands between the docker CLI and the engine, and writes down what is asked, in the order in which it is asked. */
class Recorder implements AsyncDisposable {
  readonly requests: string[] = [];
  readonly heads: string[] = [];
  readonly docker: DockerCli;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(docker: DockerCli, engine: string) {
    this.docker = docker;
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const upstream = connect({ path: engine, allowHalfOpen: true });
      for (const socket of [client, upstream]) this.#sockets.add(socket);
      void forward(client, upstream, (text) => this.#read(text));
      void forward(upstream, client);
    });
  }

  static async open(session: Session): Promise<Recorder> {
    const directory = mkdtempSync(join(session.engine.directory, 'cli-'));
    const path = join(directory, 's');
    const recorder = new Recorder(new DockerCli(`unix://${path}`, directory), session.engine.socketPath);
    recorder.#server.listen(path);
    await once(recorder.#server, 'listening');
    return recorder;
  }

  #read(text: string): void {
    for (const [request] of text.matchAll(REQUEST)) {
      this.requests.push(request.replace(/ \/v[\d.]+\//, ' /').replaceAll(/[0-9a-f]{64}/g, 'ID'));
      this.heads.push(text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function forward(from: Socket, to: Socket, seen?: (text: string) => void): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      seen?.(chunk.toString('latin1'));
      if (!to.write(chunk)) await once(to, 'drain');
    }
    to.end();
  } catch {
    // One of both has hung up: so does the other.
    to.destroy();
  }
}

const ATTACH = 'POST /containers/ID/attach?stderr=1&stdout=1&stream=1';
const NEXT_EXIT = 'POST /containers/ID/wait?condition=next-exit';
const START = 'POST /containers/ID/start';

/** What a command asks after `HEAD /_ping`. REF is a container that runs. Source: engine-api 7. */
const COMMANDS: readonly {
  readonly command: readonly string[];
  readonly input?: string;
  readonly asks: readonly string[];
}[] = [
  { command: ['run', '-d', 'busybox', 'true'], asks: ['POST /containers/create', NEXT_EXIT, START] },
  { command: ['run', 'busybox', 'true'], asks: ['POST /containers/create', ATTACH, NEXT_EXIT, START] },
  {
    ...{ command: ['run', '--rm', '-i', 'busybox', 'cat'], input: 'x' },
    asks: [
      'POST /containers/create',
      ATTACH.replace('&stdout', '&stdin=1&stdout'),
      NEXT_EXIT.replace('next-exit', 'removed'),
      START,
    ],
  },
  {
    command: ['run', 'nosuch:1'],
    asks: ['POST /containers/create', 'POST /images/create?fromImage=docker.io%2Flibrary%2Fnosuch&tag=1'],
  },
  {
    command: ['exec', 'REF', 'true'],
    asks: ['GET /containers/REF/json', 'POST /containers/REF/exec', 'POST /exec/ID/start', 'GET /exec/ID/json'],
  },
  {
    command: ['exec', '-d', 'REF', 'true'],
    asks: ['GET /containers/REF/json', 'POST /containers/REF/exec', 'POST /exec/ID/start'],
  },
  {
    command: ['logs', '--tail', '1', 'REF'],
    asks: ['GET /containers/REF/json', 'GET /containers/ID/logs?stderr=1&stdout=1&tail=1'],
  },
  {
    command: ['cp', '/etc/hostname', 'REF:/tmp/x'],
    asks: [
      'HEAD /containers/REF/archive?path=%2Ftmp%2Fx',
      'PUT /containers/REF/archive?noOverwriteDirNonDir=true&path=%2Ftmp',
    ],
  },
  { command: ['cp', 'REF:/etc/hostname', '-'], asks: ['GET /containers/REF/archive?path=%2Fetc%2Fhostname'] },
  {
    command: ['stats', '--no-stream', 'REF'],
    asks: ['GET /containers/REF/stats?stream=0'],
  },
  { command: ['rm', '-f', '-v', 'REF'], asks: ['DELETE /containers/REF?force=1&v=1'] },
];

sessions(
  'what the docker CLI asks',
  (session) => {
    const asked = (recorder: Recorder, name: string): readonly string[] =>
      recorder.requests.map((request) => (name === '' ? request : request.replaceAll(name, 'REF')));

    for (const { command, input, asks } of COMMANDS) {
      it(`docker ${command.join(' ')}`, async () => {
        const name = command.some((word) => word.startsWith('REF')) ? await session.background() : '';
        await using recorder = await Recorder.open(session);
        await recorder.docker.run(
          command.map((word) => word.replace('REF', name)),
          input,
        );
        assert.deepEqual(asked(recorder, name), ['HEAD /_ping', ...asks]);
        for (const head of recorder.heads.filter((text) => /^POST \S+\/(wait|start) /.test(text) && !/exec/.test(text)))
          assert.match(head, /\r\nContent-Length: 0\r\n/);
      });
    }

    it('docker stats of all: events, the list, and each', async () => {
      const id = await session.inspect(await session.background(), '{{.Id}}');
      await using recorder = await Recorder.open(session);
      await recorder.docker.run(['stats', '--no-stream']);
      const [, events, list, ...each] = recorder.requests;
      assert.equal(events, `GET /events?filters=${encodeURIComponent('{"type":{"container":true}}')}`);
      assert.equal(list, 'GET /containers/json');
      assert.ok(each.includes(`GET /containers/${id.slice(0, 12)}/stats?stream=0`));
    });

    it('docker attach: wait, inspect, attach, inspect', async () => {
      const name = await session.background();
      await using recorder = await Recorder.open(session);
      await using attached = recorder.docker.start(['attach', '--no-stdin', name]);
      await eventually(async () => recorder.requests.length, 5);
      await session.docker.ok('kill', name);
      assert.equal((await attached.result()).exitCode, 137);
      assert.deepEqual(asked(recorder, name), [
        'HEAD /_ping',
        'POST /containers/REF/wait',
        'GET /containers/REF/json',
        'POST /containers/REF/attach?stderr=1&stdout=1&stream=1',
        'GET /containers/REF/json',
      ]);
    });
  },
  { kinds: FAIRLEAD_ALONE },
);
