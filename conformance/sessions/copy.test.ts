import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { FAIRLEAD_ALONE, sessions, type Session } from '../sessions.ts';

/** A directory of the host for one test. */
function scratch(session: Session): string {
  return mkdtempSync(join(session.engine.directory, 'cp-'));
}

/** The words that `docker` fails with, without what 28 says about the daemon. */
async function refused(session: Session, ...args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await session.docker.run(args);
  assert.equal(exitCode, 1, stderr);
  return stderr
    .trim()
    .replace(/^Error response from daemon: /, '')
    .replace(/^Error: /, '');
}

/** Names in a tar. */
function listed(tar: Uint8Array): readonly string[] {
  const names = execFileSync('tar', ['--list', '--absolute-names'], { input: tar, encoding: 'utf8' });
  return names.split('\n').filter((name) => name !== '');
}

function tarOf(directory: string, ...names: readonly string[]): Buffer {
  return execFileSync('tar', ['--create', '--directory', directory, ...names]);
}

/** Files that most tests copy: a directory with a file, a directory and links. */
const MAKE_FILES =
  'mkdir -p /d/sub && echo hi > /d/f && ln -s f /d/rel && ln -s /d /abs && ln -s ../../../etc/passwd /d/up';

/** A container with these files, in a state: everything about files works in each. */
async function withFiles(session: Session, state: State, options: readonly string[] = []): Promise<string> {
  const name = await session.background(
    ['--network', 'none', ...options],
    ['sh', '-c', `${MAKE_FILES}; touch /ready; exec sleep 1000`],
  );
  await session.docker.ok('exec', name, 'sh', '-c', 'until [ -e /ready ]; do sleep 0.05; done');
  if (state === 'paused') await session.docker.ok('pause', name);
  if (state === 'exited') await session.docker.ok('stop', '-t', '0', name);
  return name;
}

type State = 'running' | 'paused' | 'exited';
const STATES: readonly State[] = ['running', 'paused', 'exited'];

sessions('docker cp', (session) => {
  for (const state of STATES) {
    it(`copies files and directories out of and into a container that is ${state}`, async () => {
      const [name, here] = [await withFiles(session, state), scratch(session)];
      await session.docker.ok('cp', `${name}:/d/f`, join(here, 'f'));
      assert.equal(readFileSync(join(here, 'f'), 'utf8'), 'hi\n');
      mkdirSync(join(here, 'in/deep'), { recursive: true });
      writeFileSync(join(here, 'in/deep/x'), 'x');
      symlinkSync('deep/x', join(here, 'in/link'));
      await session.docker.ok('cp', join(here, 'in'), `${name}:/d/new`);
      await session.docker.ok('cp', join(here, 'in'), `${name}:/d/sub`);
      await session.docker.ok('cp', join(here, 'f'), `${name}:/d/g`);
      await session.docker.ok('cp', `${name}:/d/new`, join(here, 'out'));
      assert.equal(readFileSync(join(here, 'out/link'), 'utf8'), 'x');
      assert.equal(readlinkSync(join(here, 'out/link')), 'deep/x');
      const answer = await session.ask(`GET /containers/${name}/archive?path=/d`);
      const names = ['d/', 'd/f', 'd/g', 'd/new/', 'd/new/deep/', 'd/new/deep/x', 'd/new/link', 'd/rel', 'd/sub/'];
      const below = ['d/sub/in/', 'd/sub/in/deep/', 'd/sub/in/deep/x', 'd/sub/in/link', 'd/up'];
      assert.deepEqual(listed(answer.bytes), [...names, ...below]);
    });
  }

  it('copies from and to a container that never ran', async () => {
    const [name, here] = [session.name(), scratch(session)];
    await session.docker.ok('create', '--network', 'none', '--name', name, 'busybox', 'cat', '/new');
    writeFileSync(join(here, 'new'), 'content');
    await session.docker.ok('cp', join(here, 'new'), `${name}:/new`);
    await session.docker.ok('cp', `${name}:/new`, join(here, 'back'));
    assert.equal(readFileSync(join(here, 'back'), 'utf8'), 'content');
    assert.equal(await session.docker.ok('start', '-a', name), 'content');
  });

  it('takes a tar from standard input, and prints one', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    writeFileSync(join(here, 'x'), 'from a tar');
    const { exitCode, stderr } = await session.docker.run(['cp', '-', `${name}:/d`], tarOf(here, 'x'));
    assert.equal(exitCode, 0, stderr);
    assert.equal(await session.docker.ok('exec', name, 'cat', '/d/x'), 'from a tar');
    const { stdout } = await session.docker.run(['cp', `${name}:/d/x`, '-']);
    assert.deepEqual(listed(Buffer.from(stdout)), ['x']);
    assert.match(stdout, /from a tar/);
  });

  it('copies a link as a link, or with -L what it leads to', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    await session.docker.ok('cp', `${name}:/d/rel`, join(here, 'link'));
    assert.equal(readlinkSync(join(here, 'link')), 'f');
    await session.docker.ok('cp', '-L', `${name}:/d/rel`, join(here, 'file'));
    assert.equal(readFileSync(join(here, 'file'), 'utf8'), 'hi\n');
    await session.docker.ok('exec', name, 'ln', '-s', '/d/sub', '/short');
    await session.docker.ok('cp', '-L', `${name}:/short`, join(here, 'directory'));
    assert.ok(lstatSync(join(here, 'directory')).isDirectory());
  });

  it('copies through links, which end at the container’s root', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    writeFileSync(join(here, 'x'), 'x');
    await session.docker.ok('cp', join(here, 'x'), `${name}:/abs/x`);
    await session.docker.ok('cp', '-L', `${name}:/d/up`, join(here, 'passwd'));
    const own = await session.docker.ok('exec', name, 'sh', '-c', 'ls /d/x; cat /etc/passwd');
    assert.equal(own, `/d/x\n${readFileSync(join(here, 'passwd'), 'utf8').trimEnd()}`);
  });

  it('keeps modes and times, and owners on the way in', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    writeFileSync(join(here, 'x'), '');
    chmodSync(join(here, 'x'), 0o640);
    chownSync(join(here, 'x'), 1234, 1235);
    execFileSync('touch', ['-d', '2001-02-03T04:05:06Z', join(here, 'x')]);
    await session.docker.ok('cp', '-a', join(here, 'x'), `${name}:/d/x`);
    assert.equal(await session.docker.ok('exec', name, 'stat', '-c', '%a %u %g %Y', '/d/x'), '640 1234 1235 981173106');
    await session.docker.ok('exec', name, 'chmod', '4711', '/d/x');
    await session.docker.ok('cp', '-a', `${name}:/d/x`, join(here, 'y'));
    const { mode, mtimeMs } = statSync(join(here, 'y'));
    assert.deepEqual([mode & 0o7777, mtimeMs], [0o4711, 981_173_106_000]);
  });

  it('gives everything to the container’s user with -a, if it has one', async () => {
    const [name, here] = [await session.background(['--network', 'none', '--user', 'daemon']), scratch(session)];
    writeFileSync(join(here, 'x'), '');
    await session.docker.ok('cp', '-a', join(here, 'x'), `${name}:/tmp/x`);
    const ids = await session.docker.ok('exec', name, 'sh', '-c', 'stat -c %u:%g /tmp/x; id -u; id -g');
    const [owner, uid, gid] = ids.split('\n');
    assert.equal(owner, `${uid}:${gid}`);
  });

  it('says what is missing, and what is in the way', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    writeFileSync(join(here, 'x'), '');
    mkdirSync(join(here, 'dir'));
    // The second is how clients before 23 say it.
    const missing = (path: string): RegExp =>
      new RegExp(`^(Could not find the file ${path} in container ${name}|No such container:path: ${name}:${path})$`);
    assert.match(await refused(session, 'cp', `${name}:/nope`, here), missing('/nope'));
    assert.match(await refused(session, 'cp', join(here, 'x'), `${name}:/no/dir`), missing('/no'));
    assert.match(await refused(session, 'cp', join(here, 'x'), `${name}:/d/f/`), /no such directory|not a directory/);
    assert.match(await refused(session, 'cp', join(here, 'dir'), `${name}:/d/f`), /cannot copy directory/);
    assert.match(await refused(session, 'cp', 'nobody:/x', here), /^No such container(: nobody|:path: nobody:\/x)$/);
    const put = await session.ask(`PUT /containers/${name}/archive?path=/d/f`, { body: tarOf(here, 'x') });
    assert.equal(put.status, session.differs({ fairlead: 400, dockerd: 500 }));
    assert.match(put.body, /extraction point is not a directory/);
  });

  it('sees bind mounts and volumes in every state, and writes through them', async () => {
    const [source, volume, here] = [scratch(session), session.name(), scratch(session)];
    writeFileSync(join(source, 'host'), 'of the host');
    writeFileSync(join(here, 'x'), 'x');
    const mounts = ['-v', `${source}:/data`, '-v', `${source}:/ro:ro`, '-v', `${volume}:/vol`];
    const name = session.name();
    await session.docker.ok('create', '--network', 'none', '--name', name, ...mounts, 'busybox', 'sleep', '1000');
    for (const turn of ['created', 'running', 'exited']) {
      if (turn === 'running') await session.docker.ok('start', name);
      if (turn === 'exited') await session.docker.ok('stop', '-t', '0', name);
      await session.docker.ok('cp', `${name}:/data/host`, join(here, turn));
      assert.equal(readFileSync(join(here, turn), 'utf8'), 'of the host');
      await session.docker.ok('cp', join(here, 'x'), `${name}:/data/${turn}`);
      assert.equal(readFileSync(join(source, turn), 'utf8'), 'x');
      await session.docker.ok('cp', join(here, 'x'), `${name}:/vol/${turn}`);
      assert.equal(
        await refused(session, 'cp', join(here, 'x'), `${name}:/ro/x`),
        'mounted volume is marked read-only',
      );
    }
    const kept = await session.docker.ok('run', '--rm', '-v', `${volume}:/v`, 'busybox', 'ls', '/v');
    assert.equal(kept, 'created\nexited\nrunning');
  });

  it('writes to a read-only container only where it has a mount', async () => {
    const [source, here] = [scratch(session), scratch(session)];
    const name = await session.background(['--network', 'none', '--read-only', '-v', `${source}:/data`]);
    writeFileSync(join(here, 'x'), 'x');
    assert.equal(await refused(session, 'cp', join(here, 'x'), `${name}:/x`), 'container rootfs is marked read-only');
    await session.docker.ok('cp', join(here, 'x'), `${name}:/data/x`);
    assert.equal(readFileSync(join(source, 'x'), 'utf8'), 'x');
  });

  it('shows the container’s own hosts file, and nothing of /proc', async () => {
    const name = await withFiles(session, 'running', ['--hostname', 'it-is-me']);
    const hostname = await session.ask(`GET /containers/${name}/archive?path=/etc/hostname`);
    assert.match(hostname.body, /it-is-me/);
    assert.deepEqual(listed((await session.ask(`GET /containers/${name}/archive?path=/proc`)).bytes), ['proc/']);
  });
});

sessions('GET, HEAD and PUT /containers/{id}/archive', (session) => {
  it('tells facts about a path in a header, and GET adds the tar', async () => {
    const name = await withFiles(session, 'running');
    const facts = async (path: string): Promise<readonly unknown[]> => {
      const { status, headers } = await session.ask(`HEAD /containers/${name}/archive?path=${path}`);
      const header = String(headers['x-docker-container-path-stat']);
      if (status !== 200) return [status];
      const got = await session.ask(`GET /containers/${name}/archive?path=${path}`);
      assert.equal(got.headers['x-docker-container-path-stat'], header);
      assert.equal(got.headers['content-type'], 'application/x-tar');
      const stat = JSON.parse(Buffer.from(header, 'base64').toString()) as Record<string, unknown>;
      assert.match(String(stat['mtime']), /^\d{4}-\d\d-\d\dT/);
      return [stat['name'], stat['mode'], stat['linkTarget'], listed(got.bytes).slice(0, 2)];
    };
    assert.deepEqual(await facts('/d/f'), ['f', 420, '', ['f']]);
    assert.deepEqual(await facts('d/sub'), ['sub', 2_147_484_141, '', ['sub/']]);
    assert.deepEqual(await facts('/d/rel'), ['rel', 134_218_239, '/d/f', ['rel']]);
    assert.deepEqual(await facts('/d/up'), ['up', 134_218_239, '/etc/passwd', ['up']]);
    assert.deepEqual(await facts('/abs'), ['abs', 134_218_239, '/d', ['abs']]);
    assert.deepEqual(await facts('/abs/'), ['abs', 2_147_484_141, '', ['abs/', 'abs/f']]);
    assert.deepEqual(await facts('/d/.'), ['.', 2_147_484_141, '', ['./', './f']]);
    assert.deepEqual(await facts('/../d/sub/../f'), ['f', 420, '', ['f']]);
    assert.deepEqual(await facts('/nope'), [404]);
    assert.deepEqual(await facts('/d/f/'), [500]);
    const none = await session.ask(`GET /containers/${name}/archive`);
    assert.deepEqual([none.status, none.body.trim()], [400, '{"message":"bad parameter: pathcannot be empty"}']);
  });

  it('names what is at the root with a slash in front', async () => {
    const name = await withFiles(session, 'running');
    const { headers, bytes } = await session.ask(`GET /containers/${name}/archive?path=/`);
    const stat = JSON.parse(
      Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString(),
    ) as object;
    assert.equal('name' in stat && stat.name, '/');
    const tops = listed(bytes).filter((line) => /^\/[^/]*\/?$/.test(line) && !/^\/(dev|sys|proc)/.test(line));
    assert.deepEqual(tops.slice(0, 5), ['/', '/.dockerenv', '/abs', '/bin/', '/d/']);
  });

  it('compresses the tar for who asks for it', async () => {
    const name = await withFiles(session, 'running');
    const asked = { headers: { 'Accept-Encoding': 'gzip' } };
    const { headers, bytes } = await session.ask(`GET /containers/${name}/archive?path=/d/f`, asked);
    assert.equal(headers['content-encoding'], 'gzip');
    assert.deepEqual(listed(gunzipSync(bytes)), ['f']);
  });

  for (const program of ['gzip', 'bzip2', 'xz']) {
    it(`unpacks a tar that is compressed with ${program}`, async () => {
      const [name, here] = [await withFiles(session, 'running'), scratch(session)];
      writeFileSync(join(here, 'x'), 'content');
      const body = execFileSync(program, ['--stdout'], { input: tarOf(here, 'x') });
      const { status } = await session.ask(`PUT /containers/${name}/archive?path=/d`, { body });
      assert.equal(status, 200);
      assert.equal(await session.docker.ok('exec', name, 'cat', '/d/x'), 'content');
    });
  }

  it('replaces types, unless it is told not to', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    writeFileSync(join(here, 'sub'), 'a file');
    mkdirSync(join(here, 'f'));
    const put = async (entry: string, query = ''): Promise<readonly [number, string]> => {
      const target = `PUT /containers/${name}/archive?path=/d${query}`;
      const { status, body } = await session.ask(target, { body: tarOf(here, entry) });
      return [status, body.trim()];
    };
    const keep = '&noOverwriteDirNonDir=true';
    const message = (text: string): string => JSON.stringify({ message: text });
    const over = 'cannot overwrite directory "/d/sub" with non-directory "/d"';
    assert.deepEqual(await put('sub', keep), [
      500,
      session.differs({ fairlead: message(over), dockerd: dockerSays(over) }),
    ]);
    const under = 'cannot overwrite non-directory "/d/f" with directory "/d"';
    assert.deepEqual(await put('f', keep), [
      500,
      session.differs({ fairlead: message(under), dockerd: dockerSays(under) }),
    ]);
    assert.deepEqual(await put('sub'), [200, '']);
    assert.deepEqual(await put('f'), [200, '']);
    assert.equal(await session.docker.ok('exec', name, 'sh', '-c', 'cat /d/sub; ls -d /d/f/'), 'a file/d/f/');
  });

  it('refuses what is no tar, and takes nothing for an empty one', async () => {
    const name = await withFiles(session, 'running');
    const put = (body: string): ReturnType<Session['ask']> =>
      session.ask(`PUT /containers/${name}/archive?path=/d`, { body });
    const garbage = await put('x'.repeat(2000));
    assert.equal(garbage.status, 500);
    assert.match(garbage.body, /archive\/tar: invalid tar header/);
    assert.equal((await put('')).status, 200);
  });

  it('puts absolute names behind the directory, and refuses those that lead out', async () => {
    const [name, here] = [await withFiles(session, 'running'), scratch(session)];
    writeFileSync(join(here, 'x'), 'x');
    const put = async (...how: readonly string[]): Promise<string> => {
      const body = execFileSync('tar', ['--create', '--absolute-names', '--directory', here, ...how, 'x']);
      return (await session.ask(`PUT /containers/${name}/archive?path=/d/sub`, { body })).body;
    };
    assert.equal(await put('--transform=s,^,/etc/,'), '');
    assert.equal(await session.docker.ok('exec', name, 'cat', '/d/sub/etc/x'), 'x');
    assert.match(await put('--transform=s,^,../../evil/,'), /\\"\.\.\/\.\.\/evil\/x\\" is outside of \\"\/d\/sub\\"/);
    // 20.10 makes the directory before it looks.
    const left = session.differs({ fairlead: '', dockerd: '/evil' });
    assert.equal(await session.docker.ok('exec', name, 'sh', '-c', 'ls -d /evil* 2> /dev/null || true'), left);
  });

  it('announces what was copied', async () => {
    const [name, here] = [await withFiles(session, 'exited'), scratch(session)];
    writeFileSync(join(here, 'x'), '');
    const since = String(Math.floor(Date.now() / 1000) - 1);
    await session.ask(`HEAD /containers/${name}/archive?path=/d`);
    await session.docker.ok('cp', `${name}:/d/f`, here);
    await session.docker.ok('cp', join(here, 'x'), `${name}:/d/x`);
    await session.docker.run(['export', name]);
    await session.docker.ok('diff', name);
    const until = String(Math.floor(Date.now() / 1000) + 1);
    const filters = ['--filter', `container=${name}`, '--since', since, '--until', until, '--format', '{{.Action}}'];
    const events = (await session.docker.ok('events', ...filters)).split('\n');
    const about = events.filter((action) => /archive|extract|export/.test(action));
    assert.deepEqual(about, ['archive-path', 'extract-to-dir', 'export']);
  });
});

sessions('docker export and docker diff', (session) => {
  for (const state of STATES) {
    it(`exports and compares a container that is ${state}`, async () => {
      const source = scratch(session);
      writeFileSync(join(source, 'host'), '');
      const name = await withFiles(session, state, ['-v', `${source}:/data`]);
      const file = join(scratch(session), 'export.tar');
      await session.docker.ok('export', '-o', file, name);
      const names = listed(readFileSync(file)).filter((path) => /^(\.|d\/|data|abs|proc|etc\/hostname)/.test(path));
      assert.deepEqual(names.toSorted(), [
        '.dockerenv',
        'abs',
        'd/',
        'd/f',
        'd/rel',
        'd/sub/',
        'd/up',
        'data/',
        'etc/hostname',
        'proc/',
      ]);
      const changes = (await session.docker.ok('diff', name)).split('\n').toSorted();
      const made = ['A /abs', 'A /d', 'A /d/f', 'A /d/rel', 'A /d/sub', 'A /d/up', 'A /data', 'A /ready'];
      assert.deepEqual(changes, made);
    });
  }

  it('shows what was changed and removed, parents first, and null for nothing', async () => {
    const name = session.name();
    await session.docker.ok(
      'create',
      '--network',
      'none',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'rm /etc/passwd; echo x >> /etc/group',
    );
    assert.equal((await session.ask(`GET /containers/${name}/changes`)).body, 'null\n');
    await session.docker.ok('start', '-a', name);
    const { body } = await session.ask(`GET /containers/${name}/changes`);
    const changes = JSON.parse(body) as { readonly Path: string; readonly Kind: number }[];
    assert.deepEqual(changes[0], { Path: '/etc', Kind: 0 });
    assert.deepEqual(
      changes.slice(1).toSorted((one, other) => one.Kind - other.Kind),
      [
        { Path: '/etc/group', Kind: 0 },
        { Path: '/etc/passwd', Kind: 2 },
      ],
    );
  });
});

sessions(
  'the tmpfs of a container',
  (session) => {
    it('is there while it runs, and empty and closed when it does not', async () => {
      const here = scratch(session);
      const name = await session.background(
        ['--network', 'none', '--tmpfs', '/scratch'],
        ['sh', '-c', 'echo t > /scratch/t; exec sleep 1000'],
      );
      writeFileSync(join(here, 'x'), 'x');
      await session.docker.ok('exec', name, 'sh', '-c', 'until [ -e /scratch/t ]; do sleep 0.05; done');
      await session.docker.ok('cp', `${name}:/scratch/t`, join(here, 't'));
      assert.equal(readFileSync(join(here, 't'), 'utf8'), 't\n');
      await session.docker.ok('cp', join(here, 'x'), `${name}:/scratch/x`);
      assert.equal(await session.docker.ok('exec', name, 'cat', '/scratch/x'), 'x');
      await session.docker.ok('stop', '-t', '0', name);
      await session.docker.ok('cp', `${name}:/scratch`, join(here, 'after'));
      assert.deepEqual(readdirSync(join(here, 'after')), []);
      assert.equal(
        await refused(session, 'cp', join(here, 'x'), `${name}:/scratch/x`),
        'the tmpfs at /scratch is there only while the container runs',
      );
    });
  },
  { kinds: FAIRLEAD_ALONE },
);

/** 20.10 unpacks in a child process, and quotes it. */
function dockerSays(words: string): string {
  return JSON.stringify({ message: `Error processing tar file(exit status 1): ${words}` });
}
