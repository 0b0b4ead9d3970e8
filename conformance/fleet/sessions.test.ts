import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, EngineUnreachableError } from '@fairlead/client';
import { FleetClient, type SessionViewer } from '@fairlead/client/fleet';
import { FaultProxy } from '@fairlead/testkit';
import { askForTicket, BrowserSession, socketUrl } from './browser-session.ts';
import Docker from 'dockerode';
import { FleetWorld } from './fleet-world.ts';

/** How long a wire is gone: twenty seconds in the long form, `make crash-fleet`. */
const AWAY_MS = process.env['CRASH_POINTS'] === 'all' ? 20_000 : 2_000;

describe('connect({ hub, host })', { concurrency: 2 }, () => {
  let world: FleetWorld;
  let web: Client;

  before(async () => {
    world = await FleetWorld.open();
    web = await connect({ hub: world.socket, host: 'web' });
  });
  after(async () => {
    await web[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  it('drives a host’s engine as if it were here', async () => {
    const { exitCode, stdout } = await web.run('busybox', ['sh', '-c', 'echo hi; exit 3'], { autoRemove: true });
    assert.deepEqual([exitCode, stdout.toString()], [3, 'hi\n']);
    const { Id } = await web.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, { name: 'drive' });
    await web.containers.start('drive');
    const cat = await web.containers.exec('drive', ['cat'], { stdin: 'through and back' });
    assert.equal(cat.stdout.toString(), 'through and back');
    const stopped = await web.containers.stop('drive', { graceMs: 0 });
    assert.deepEqual([stopped.changed, stopped.outcome, stopped.exitCode], [true, 'killed', 137]);
    assert.equal((await web.containers.inspect(Id)).State.Status, 'exited');
    await web.containers.remove('drive');
  });

  it('carries a megabyte of input, each byte once, while the wire is cut again and again', async () => {
    await using proxy = await FaultProxy.open({ host: '127.0.0.1', port: Number(world.url.port) });
    const token = await world.user('paste', 'exec');
    await using far = await connect({ hub: `http://127.0.0.1:${proxy.port}`, token, host: 'web' });
    await background(web, 'paste');
    const bytes = randomBytes(1_000_000);
    await using shell = await far.containers.spawn('paste', ['sh', '-c', 'cat'], { stdin: true });
    const over = new AbortController();
    const cutting = cutNowAndThen(proxy, over.signal);
    const heard = collect(shell.output());
    for (let at = 0; at < bytes.length; at += 10_000) {
      await shell.write(bytes.subarray(at, at + 10_000));
      await sleep(5);
    }
    shell.endInput();
    assert.equal(hash(await heard), hash(bytes));
    assert.equal(await shell.exitCode(), 0);
    over.abort();
    await cutting;
    assert.ok(proxy.accepted > 4, `${proxy.accepted} connections`);
    await web.containers.remove('paste', { force: true });
  });

  it('carries input for clients that take a connection without asking to upgrade it', async () => {
    await web.containers.create({ Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true }, { name: 'cat' });
    await web.containers.start('cat');
    const agent = new Agent();
    agent.createConnection = (_, callback) => {
      web.dial(AbortSignal.timeout(30_000)).then(
        (connection) => callback?.(null, connection),
        (error: Error) => callback?.(error, new PassThrough()),
      );
      return undefined;
    };
    // Its types know nothing of the agent that it takes.
    const where: object = { host: 'web', port: 80, agent };
    const docker = new Docker(where);
    const attached = await docker
      .getContainer('cat')
      .attach({ stream: true, stdin: true, stdout: true, hijack: false });
    const heard = once(attached, 'data');
    attached.write('no upgrade');
    assert.match(String((await heard)[0]), /no upgrade$/);

    // And by hand: body and input in one packet.
    await background(web, 'hand');
    const exec = await docker.getContainer('hand').exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
    const connection = await web.dial(AbortSignal.timeout(30_000));
    const body = '{"Detach":false,"Tty":false}';
    connection.end(
      `POST /exec/${exec.id}/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}in one packet`,
    );
    const answer = (await collect(bytesOf(connection))).toString('latin1');
    assert.match(
      answer,
      /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n[^]*in one packet$/,
    );
    for (const name of ['cat', 'hand']) await web.containers.remove(name, { force: true });
  });

  it('keeps 10,000 keystrokes in order, characters cut at every byte', async () => {
    await background(web, 'keys');
    const text = 'aä€😀'.repeat(1_000);
    await using shell = await web.containers.spawn('keys', ['cat'], { stdin: true });
    const heard = collect(shell.output());
    for (const byte of Buffer.from(text)) await shell.write(Uint8Array.of(byte));
    shell.endInput();
    assert.equal((await heard).toString(), text);
    await web.containers.remove('keys', { force: true });
  });

  it('goes on with a terminal at its offset after the wire was gone for a while', async () => {
    await using proxy = await FaultProxy.open({ host: '127.0.0.1', port: Number(world.url.port) });
    const token = await world.user('terminal', 'exec');
    await using far = await connect({ hub: `http://127.0.0.1:${proxy.port}`, token, host: 'web' });
    await background(web, 'away');
    await using shell = await far.containers.spawn('away', ['sh'], { tty: true, stdin: true });
    const heard = collect(shell.output());
    const ticks = 4 + AWAY_MS / 500;
    await shell.write(Buffer.from(`for i in $(seq ${ticks}); do echo tick $i; sleep 0.5; done; exit 5\n`));
    await sleep(700);
    const refusing = proxy.refuse();
    proxy.cut();
    await sleep(AWAY_MS);
    refusing[Symbol.dispose]();
    const text = (await heard).toString();
    for (let tick = 1; tick <= ticks; tick += 1) assert.equal(text.split(`tick ${tick}\r\n`).length, 2, text);
    assert.equal(await shell.exitCode(), 5);
    await web.containers.remove('away', { force: true });
  });

  it('goes on when the hub was started again in the middle', async () => {
    const token = await world.user('restart', 'exec');
    await using far = await connect({ hub: world.url.href, token, host: 'web' });
    await background(web, 'hub');
    await using shell = await far.containers.spawn('hub', ['sh', '-c', 'echo one; read line; echo $line; exit 6'], {
      stdin: true,
    });
    const heard = collect(shell.output());
    await sleep(300);
    await world.restartHub();
    await shell.write(Buffer.from('two\n'));
    assert.equal((await heard).toString(), 'one\ntwo\n');
    assert.equal(await shell.exitCode(), 6);
    await web.containers.remove('hub', { force: true });
  });

  it('carries a program’s output, each byte once, while the hub is started again in the middle of it', async () => {
    const token = await world.user('bulk', 'exec');
    await using far = await connect({ hub: world.url.href, token, host: 'web' });
    await background(web, 'bulk');
    const lines = 4_000_000;
    await using stream = await far.containers.spawn('bulk', ['seq', String(lines)]);
    const heard = createHash('sha256');
    let bytes = 0;
    let restarting: Promise<void> | undefined;
    for await (const chunk of stream.output()) {
      heard.update(chunk.bytes);
      bytes += chunk.bytes.length;
      if (bytes > 3_000_000) restarting ??= world.restartHub();
    }
    await restarting;
    const said = createHash('sha256');
    for (let line = 1; line <= lines; line += 1) said.update(`${line}\n`);
    assert.equal(heard.digest('hex'), said.digest('hex'));
    assert.equal(await stream.exitCode(), 0);
    await web.containers.remove('bulk', { force: true });
  });

  it('lets a user do what the role allows, request by request', async () => {
    const token = await world.user('viewer', 'view');
    await using viewer = await connect({ hub: world.url.href, token, host: 'web' });
    await viewer.containers.list();
    await assert.rejects(
      viewer.containers.create({ Image: 'busybox' }),
      /viewer may view; this takes the role operate/,
    );
    await using operator = await connect({
      hub: world.url.href,
      token: await world.user('op', 'operate'),
      host: 'web',
    });
    await assert.rejects(operator.containers.exec('any', ['id']), /takes the role exec/);
    const body = { Image: 'busybox', HostConfig: { Privileged: true } };
    await assert.rejects(operator.containers.create(body), /takes the role admin/);
  });

  it('lets nobody but its opener join a tunnel, whoever has its token', async () => {
    const users = { opener: 'exec', looker: 'view', other: 'exec', boss: 'admin' } as const;
    const tokens = new Map<string, string>();
    for (const [name, role] of Object.entries(users)) tokens.set(name, await world.user(name, role));
    const ask = async (path: string, name: string, headers = {}): Promise<IncomingMessage> =>
      await upgradeTo(new URL(path, world.url), { ...headers, Authorization: `Bearer ${tokens.get(name)}` });
    const opened = await ask('/v1/hosts/web/engine', 'opener');
    const session = String(opened.headers['fairlead-session']);
    const joinedBy = { 'Fairlead-Session-Token': String(opened.headers['fairlead-session-token']) };
    for (const [name, status] of Object.entries({ looker: 403, other: 403, boss: 403, opener: 101 })) {
      const answer = await ask(`/v1/sessions/${session}?write=1`, name, joinedBy);
      assert.equal(answer.statusCode, status, name);
      answer.destroy();
    }
    opened.destroy();
  });

  it('ends what a user has open who is removed', async () => {
    const { Id } = await web.containers.create({ Image: 'busybox', Cmd: ['sh', '-c', 'echo here; sleep 1000'] });
    await web.containers.start(Id);
    await using leaver = await connect({ hub: world.url.href, token: await world.user('leaver', 'view'), host: 'web' });
    await using fleet = await FleetClient.open({ hub: world.socket });
    const following = async (): Promise<void> => {
      for await (const { text } of leaver.containers.logs(Id, { follow: true })) {
        assert.equal(text, 'here');
        await fleet.removeUser('leaver');
      }
    };
    await assert.rejects(following(), /token is nobody/);
    await web.containers.remove(Id, { force: true });
  });

  it('tells who is not there from what is not allowed', async () => {
    await using nobody = await connect({ hub: world.url.href, token: 'nobodys', host: 'web' });
    await assert.rejects(nobody.containers.list(), /token is nobody/);
    await using nowhere = await connect({ hub: world.socket, host: 'nowhere' });
    await assert.rejects(nowhere.containers.list(), /no such host: nowhere/);
    await using dead = await connect({ hub: 'http://127.0.0.1:1', host: 'web' });
    await assert.rejects(dead.containers.list(), EngineUnreachableError);
  });
});

describe('FleetClient.openSession', () => {
  let world: FleetWorld;
  let fleet: FleetClient;
  let web: Client;

  before(async () => {
    world = await FleetWorld.open();
    fleet = await FleetClient.open({ hub: world.socket });
    web = await connect({ hub: world.socket, host: 'web' });
    await background(web, 'seen');
  });
  after(async () => {
    await web.containers.remove('seen', { force: true });
    await web[Symbol.asyncDispose]();
    await fleet[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  it('shows a program to many, lets one type, and ends with its exit code', async () => {
    const argv = ['sh', '-c', 'read a; echo "got $a"; echo bad >&2; exit 4'];
    const session = await fleet.openSession('web', { kind: 'exec', container: 'seen', argv, stdin: true });
    await using watcher = await fleet.joinSession(session);
    await using typist = await fleet.joinSession(session, { write: true });
    await assert.rejects(watcher.write(Buffer.from('not it\n')), /only looks/);
    await typist.write(Buffer.from('it\n'));
    for (const viewer of [watcher, typist]) {
      assert.deepEqual(await seen(viewer), { stdout: 'got it\n', stderr: 'bad\n' });
      assert.equal(viewer.exitCode(), 4);
    }
    await using late = await fleet.joinSession(session, { offset: 4 });
    assert.deepEqual(await seen(late), { stdout: 'it\n', stderr: 'bad\n' });
  });

  it('delivers sizes and signals to a program, or says why not', async () => {
    const script = 'trap "echo got it; exit 9" USR1; read line; stty size; while :; do sleep 0.1; done';
    const argv = ['sh', '-c', script];
    const session = await fleet.openSession('web', { kind: 'exec', container: 'seen', argv, tty: true });
    await using watcher = await fleet.joinSession(session);
    await assert.rejects(watcher.signal('USR1'), /only the viewer that may type/);
    await using typist = await fleet.joinSession(session, { write: true });
    await assert.rejects(typist.signal('NOSUCH'), /invalid signal: NOSUCH/);
    await typist.resize({ rows: 33, columns: 99 });
    await typist.write(Buffer.from('go\n'));
    const text = await nextText(typist, '33 99');
    await typist.signal('USR1');
    assert.match(text + (await seen(typist)).stdout, /33 99\r\n[^]*got it\r\n$/);
    assert.equal(typist.exitCode(), 9);
    await assert.rejects(typist.signal('USR1'), /not connected/);
  });

  it('attaches to a container: its output from the start, input, sizes, signals and the exit code', async () => {
    const script = 'trap "echo got it; exit 3" USR1; read line; echo "$line $(stty size)"; while :; do sleep 0.1; done';
    const body = { Image: 'busybox', Cmd: ['sh', '-c', script], Tty: true, OpenStdin: true };
    await web.containers.create(body, { name: 'attached' });
    const session = await fleet.openSession('web', { kind: 'attach', container: 'attached', stdin: true });
    assert.equal(session.tty, true);
    await using typist = await fleet.joinSession(session, { write: true });
    await using watcher = await fleet.joinSession(session);
    const watched = seen(watcher);
    await web.containers.start('attached');
    await typist.resize({ rows: 21, columns: 43 });
    await typist.write(Buffer.from('hello\n'));
    const text = await nextText(typist, '21 43');
    await typist.signal('SIGUSR1');
    const whole = text + (await seen(typist)).stdout;
    assert.match(whole, /hello 21 43\r\n[^]*got it\r\n$/);
    assert.equal(typist.exitCode(), 3);
    assert.equal((await watched).stdout, whole);
    await web.containers.remove('attached');
  });

  it('is recorded when that is asked for, and shown to administrators', async () => {
    const argv = ['sh', '-c', 'echo "ä€😀"; read a; stty size; exit 2'];
    const open = {
      kind: 'exec',
      container: 'seen',
      argv,
      tty: true,
      size: { rows: 5, columns: 7 },
      record: 'all',
    } as const;
    const session = await fleet.openSession('web', open);
    await using typist = await fleet.joinSession(session, { write: true });
    await nextText(typist, '😀\r\n');
    await typist.resize({ rows: 8, columns: 9 });
    await typist.write(Buffer.from('in\n'));
    await seen(typist);
    const [recording] = await fleet.recordings('web');
    assert.deepEqual(
      [recording?.sessionId, recording?.title, recording?.isOpen],
      [session.sessionId, 'seen by local', false],
    );
    const bytes = await collect(chunksOf(fleet.recording('web', session.sessionId)));
    const [head, ...events] = bytes
      .toString()
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    const { width, height, command } = head as Record<string, unknown>;
    assert.deepEqual([width, height, command], [7, 5, argv.join(' ')]);
    const textOf = (kind: string): string =>
      (events as [number, string, string][]).flatMap((event) => (event[1] === kind ? [event[2]] : [])).join('');
    assert.deepEqual([textOf('o'), textOf('i'), textOf('r')], ['ä€😀\r\nin\r\n8 9\r\n', 'in\n', '9x8']);
    await assert.rejects(collect(chunksOf(fleet.recording('web', 's_none'))), /no recording of session s_none/);
    await using viewer = await FleetClient.open({ hub: world.url.href, token: await world.user('nosy', 'exec') });
    await assert.rejects(viewer.recordings('web'), /needs the role admin/);
  });

  it('is a page’s as well, over a WebSocket: output, input, sizes, and from an offset once it was cut', async () => {
    const token = await world.user('page', 'exec');
    const argv = ['sh', '-c', 'echo one; read a; echo "$a $(stty size)"; read b; echo "$b"; exit 5'];
    const session = await fleet.openSession('web', { kind: 'exec', container: 'seen', argv, tty: true });
    let offset = 0;
    {
      using page = await BrowserSession.join(world.url, session, { token, write: true });
      await nextText(page.viewer, 'one');
      await page.viewer.resize({ rows: 12, columns: 34 });
      await page.viewer.write(Buffer.from('two\n'));
      assert.match(await nextText(page.viewer, '12 34'), /two 12 34/);
      ({ offset } = page.viewer);
    }
    using again = await BrowserSession.join(world.url, session, { token, write: true, offset });
    await again.viewer.write(Buffer.from('three\n'));
    using watcher = await BrowserSession.join(world.url, session, { token: await world.user('eye', 'view') });
    const rest = await seen(again.viewer);
    assert.match(rest.stdout, /^[\r\n]*three\r\nthree\r\n$/);
    const whole = await seen(watcher.viewer);
    assert.ok(whole.stdout.startsWith('one\r\n') && whole.stdout.endsWith(rest.stdout), whole.stdout);
    assert.deepEqual([again.viewer.exitCode(), watcher.viewer.exitCode()], [5, 5]);
    assert.deepEqual([(await again.closed).code, (await watcher.closed).code], [1000, 1000]);
    const joins = (await fleet.audit(0, 1_000)).filter(({ detail }) => detail.startsWith(session.sessionId));
    const written = joins.map(({ actor, action, detail }) => [actor, action, detail.endsWith(' to type')]);
    assert.deepEqual(written, [
      ['page', 'session.join', true],
      ['page', 'session.join', true],
      ['eye', 'session.join', false],
    ]);
  });

  it('takes no WebSocket without a fresh ticket, nor one of another page', async () => {
    const token = await world.user('ticket', 'exec');
    const session = await fleet.openSession('web', { kind: 'logs', container: 'seen' });
    const { ticket } = await askForTicket(world.url, session, { token });
    const open = async (words: string, headers = {}): Promise<number> => {
      const protocols = ['fairlead-session', ...(words === '' ? [] : [`ticket.${words}`])];
      return await handshakeStatus(socketUrl(world.url, session), {
        ...headers,
        'Sec-WebSocket-Protocol': protocols.join(', '),
      });
    };
    assert.equal(await open(''), 401);
    assert.equal(await open(ticket, { Origin: 'https://elsewhere.example' }), 403);
    assert.equal(await open(ticket, { Origin: world.url.origin }), 101);
    assert.equal(await open(ticket), 401);
    const viewer = await world.user('onlooker', 'view');
    await assert.rejects(
      askForTicket(world.url, session, { token: viewer, write: true }),
      /to type takes the role exec/,
    );
    await assert.rejects(askForTicket(world.url, session, { token: 'nobodys' }), /UNAUTHORIZED/);
    const wrong = await BrowserSession.join(world.url, { ...session, token: 'wrong' }, { token });
    const { code, reason } = await wrong.closed;
    assert.deepEqual([code, reason], [4410, 'SESSION_LOST: this host has no such session (any more)']);
  });

  it('follows a log, and refuses what is not there or not allowed', async () => {
    await web.run('busybox', ['echo', 'logged'], { name: 'logger' });
    const session = await fleet.openSession('web', { kind: 'logs', container: 'logger' });
    await using viewer = await fleet.joinSession(session);
    assert.equal((await seen(viewer)).stdout, 'logged\n');
    assert.throws(() => viewer.exitCode(), /cannot be known/);
    await web.containers.remove('logger');
    const nobody = { sessionId: session.sessionId, token: 'wrong' };
    await assert.rejects(fleet.joinSession(nobody), /no such session/);
    const gone = fleet.openSession('web', { kind: 'exec', container: 'nosuch', argv: ['id'] });
    await assert.rejects(gone, /No such container: nosuch/);
  });
});

/** What is shown until it has `word` in it. */
async function nextText(viewer: SessionViewer, word: string): Promise<string> {
  let text = '';
  for await (const item of viewer.output()) {
    if (item.kind === 'output') text += Buffer.from(item.bytes).toString();
    if (text.includes(word)) break;
  }
  return text;
}

async function handshakeStatus(url: URL, headers: Readonly<Record<string, string>>): Promise<number> {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' };
  const key = { 'Sec-WebSocket-Key': randomBytes(16).toString('base64') };
  const asked = request({
    host: url.hostname,
    port: url.port,
    path: url.pathname,
    headers: { ...upgrade, ...key, ...headers },
  });
  asked.end();
  const [answer] = (await Promise.race([once(asked, 'upgrade'), once(asked, 'response')])) as [IncomingMessage];
  asked.destroy();
  return answer.statusCode ?? 0;
}

/** Asks for a connection that carries a session. */
async function upgradeTo(url: URL, headers: Readonly<Record<string, string>>): Promise<IncomingMessage> {
  const asked = request(url, { headers: { ...headers, Connection: 'Upgrade', Upgrade: 'fairlead-session' } });
  asked.end();
  const [answer] = (await Promise.race([once(asked, 'upgrade'), once(asked, 'response')])) as [IncomingMessage];
  return answer;
}

async function seen(viewer: SessionViewer): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for await (const item of viewer.output()) {
    if (item.kind === 'output') text[item.stream] += Buffer.from(item.bytes).toString();
  }
  return text;
}

async function background(client: Client, name: string): Promise<void> {
  await client.containers.create({ Image: 'busybox', Cmd: ['sleep', '1000'] }, { name });
  await client.containers.start(name);
}

async function cutNowAndThen(proxy: FaultProxy, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await sleep(150, undefined, { signal: until }).catch(() => {});
    using _ = proxy.refuse();
    proxy.cut();
    await sleep(30);
  }
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<{ readonly bytes: Uint8Array }> {
  for await (const bytes of stream) if (bytes instanceof Uint8Array) yield { bytes };
}

async function* chunksOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<{ readonly bytes: Uint8Array }> {
  for await (const bytes of pieces) yield { bytes };
}

async function collect(output: AsyncIterable<{ readonly bytes: Uint8Array }>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const { bytes } of output) chunks.push(bytes);
  return Buffer.concat(chunks);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
