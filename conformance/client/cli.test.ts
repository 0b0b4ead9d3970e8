import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { EngineUnderTest } from '../engines.ts';
import { FairleadCli } from '../fairlead-cli.ts';
import { LocalRegistry, REGISTRY_LOGIN } from '../local-registry.ts';

/** Facts about the command line with an engine that has everything: what it prints is what `docker` prints. */
describe('fairlead with dockerd', { concurrency: 4 }, () => {
  let registry: LocalRegistry;
  let engine: EngineUnderTest;
  let fairlead: FairleadCli;
  let web: string;

  before(async () => {
    registry = await LocalRegistry.start();
    engine = await EngineUnderTest.start('dockerd');
    fairlead = new FairleadCli(engine.host, { HOME: engine.directory });
    const { docker } = engine;
    await docker.ok('volume', 'create', '--label', 'a=b', 'data');
    await docker.ok('network', 'create', '--internal', '--subnet', '10.214.9.0/24', '--label', 'a=b', 'inner');
    const program = 'echo x > /new; rm /etc/group; mkdir -p /d/e; echo f > /d/e/f; ln -s d /l; sleep 1000';
    await docker.ok(
      'run',
      '-d',
      '--name',
      'web',
      '-v',
      'data:/data',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      program,
    );
    await docker.ok('exec', 'web', 'sh', '-c', 'until [ -L /l ]; do sleep 0.05; done');
    web = 'web';
  });

  after(async () => {
    await engine[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
  });

  const commands: readonly (readonly string[])[] = [
    ['diff', 'web'],
    ['port', 'web'],
    ['port', 'web', '80'],
    ['export', '-o', '/no/such/place', 'web'],
    ['commit', 'nosuch'],
    ['update', '--memory', '64m', '--memory-swap', '128m', 'web'],
    ['save', 'nosuch'],
    ['pull', '-q', '127.0.0.1:1/none'],
    ['volume', 'ls'],
    ['volume', 'ls', '--format', '{{.Name}} {{.Driver}} {{.Labels}} {{.Scope}}'],
    ['volume', 'inspect', 'data'],
    ['volume', 'inspect', '-f', '{{.Name}}', 'data', 'nosuch'],
    ['volume', 'rm', 'data'],
    ['network', 'ls'],
    ['network', 'ls', '--format', 'table {{.Name}}\t{{.Internal}}'],
    ['network', 'inspect', '-f', '{{.Name}} {{.Internal}} {{json .Labels}}', 'inner', 'nosuch'],
    ['network', 'rm', 'bridge-that-is-not'],
    ['network', 'connect', 'nosuch', 'web'],
    ['system', 'df'],
    ['system', 'df', '--format', '{{.Type}} {{.TotalCount}} {{.Active}}'],
    ['inspect', '--type', 'volume', '-f', '{{.Name}}', 'data'],
    ['inspect', '-f', '{{.Name}}', 'data', 'inner'],
    ['inspect', 'nosuch'],
    ['container', 'inspect', '-f', '{{.Name}}', 'web'],
    ['image', 'inspect', '-f', '{{.Os}}', 'busybox'],
    ['container', 'prune', '-f', '--filter', 'label=none'],
    ['network', 'prune', '-f', '--filter', 'label=none'],
    ['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'web'],
    ['stats', '--no-stream', 'nosuch'],
    ['cp', 'web:/nosuch', '.'],
    ['cp', '/nosuch/x', 'web:/'],
    ['cp', 'web:/new', '/no/such/place/x'],
    ['cp', 'a', 'b'],
  ];
  for (const command of commands) {
    it(`prints the same, and ends the same: ${command.join(' ')}`, async () => {
      const theirs = await engine.docker.run(command);
      const ours = await fairlead.run(command);
      const told = (text: string): readonly string[] =>
        text
          .replaceAll('docker', 'fairlead')
          .split('\n')
          // docker's own library speaks up between the lines, and `network rm` says its exit code.
          .filter((line) => !/^(\s*$|Run |time="|exit status)/.test(line));
      // dockerd tells changes in any order.
      const listed = (text: string): string => (command[0] === 'diff' ? text.split('\n').sort().join('\n') : text);
      assert.deepEqual(
        { exitCode: ours.exitCode, stdout: listed(ours.stdout), stderr: told(ours.stderr) },
        { exitCode: theirs.exitCode, stdout: listed(theirs.stdout), stderr: told(theirs.stderr) },
      );
    });
  }

  it('copies files out of a container as docker does', async () => {
    for (const [source, target] of [
      ['web:/new', 'file'],
      ['web:/d', 'existing'],
      ['web:/d', 'fresh'],
      ['web:/d/.', 'content'],
      ['web:/d/e/f', 'existing'],
      ['web:/l', 'link'],
      ['web:/l/', 'followed'],
    ] as const) {
      const shape: string[] = [];
      for (const cli of ['docker', 'fairlead'] as const) {
        const home = join(engine.directory, `${cli}-${target}-${source.replaceAll(/\W/g, '_')}`);
        mkdirSync(join(home, 'existing'), { recursive: true });
        if (target === 'content') mkdirSync(join(home, 'content'));
        const command = ['cp', source, join(home, target)];
        const { exitCode, stderr } = cli === 'docker' ? await engine.docker.run(command) : await fairlead.run(command);
        shape.push(`${exitCode} ${stderr.replaceAll(home, '')} ${await shapeOf(home)}`);
      }
      assert.equal(shape[1], shape[0], `${source} ${target}`);
    }
  });

  it('copies files into a container as docker does', async () => {
    const home = join(engine.directory, 'in');
    mkdirSync(join(home, 'tree/sub'), { recursive: true });
    writeFileSync(join(home, 'tree/sub/file'), 'text');
    chmodSync(join(home, 'tree/sub/file'), 0o751);
    symlinkSync('sub/file', join(home, 'tree/link'));
    const copies = [
      ['tree', '/fresh'],
      ['tree', '/existing'],
      ['tree/.', '/existing'],
      ['tree/.', '/fresh/'],
      ['tree/sub/file', '/existing'],
      ['tree/sub/file', '/renamed'],
      ['tree/sub/file', '/nosuch/'],
      ['tree', '/existing/in-the-way'],
      ['tree/link', '/link'],
    ] as const;
    const prepare = `for at in ${copies.map((_, at) => at).join(' ')}; do for cli in docker fairlead; do
      mkdir -p /in/$cli/$at/existing; echo x > /in/$cli/$at/existing/in-the-way; done; done`;
    await engine.docker.ok('exec', web, 'sh', '-c', prepare);
    for (const [at, [source, target]] of copies.entries()) {
      const said: string[] = [];
      for (const cli of ['docker', 'fairlead'] as const) {
        const command = ['cp', join(home, source), `web:/in/${cli}/${at}${target}`];
        const { exitCode, stderr } = cli === 'docker' ? await engine.docker.run(command) : await fairlead.run(command);
        said.push(`${exitCode} ${stderr.replaceAll(`/in/${cli}/`, '').replace(/^time=.*\n/gm, '')}`);
      }
      assert.equal(said[1], said[0], `${source} ${target}`);
    }
    const list = (cli: string): Promise<string> => {
      const command = `cd /in/${cli}; find . | sort | xargs stat -c '%n %F %a'; find . -type l -exec readlink {} \\;`;
      return engine.docker.ok('exec', web, 'sh', '-c', command);
    };
    assert.equal(await list('fairlead'), await list('docker'));
  });

  it('copies tars through pipes', async () => {
    const tar = join(engine.directory, 'piped.tar');
    const out = fairlead.start(['cp', 'web:/d', '-']);
    writeFileSync(tar, (await out.result()).stdout, 'latin1');
    const { exitCode, stderr } = await fairlead.run(['cp', '-', 'web:/tmp'], readFileSync(tar));
    assert.equal(exitCode, 0, stderr);
    assert.equal(await engine.docker.ok('exec', web, 'cat', '/tmp/d/e/f'), 'f');
    assert.match((await fairlead.run(['cp', '-', 'web:/new'], readFileSync(tar))).stderr, /must be a directory/);
  });

  it('pushes, pulls, saves and builds', async () => {
    const name = `${registry.address}/cli/busybox:1`;
    await engine.docker.ok('tag', 'busybox', name);
    const pushed = await fairlead.run(['push', name]);
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.match(pushed.stdout, /^The push refers to repository .*\n[^]*1: digest: sha256:[0-9a-f]{64} size: \d+\n$/);
    await engine.docker.ok('rmi', name);
    const pulled = await fairlead.run(['pull', name]);
    assert.match(pulled.stdout, /^1: Pulling from cli\/busybox\n[^]*\nStatus: .*\n127\.0\.0\.1:\d+\/cli\/busybox:1\n$/);
    assert.equal((await fairlead.run(['pull', '-q', name])).stdout, `${name}\n`);
    const missing = await fairlead.run(['pull', `${registry.address}/nosuch`]);
    assert.deepEqual([missing.exitCode, /manifest unknown/.test(missing.stderr)], [1, true], missing.stderr);
    const file = join(engine.directory, 'saved.tar');
    assert.equal((await fairlead.run(['save', '-o', file, name])).exitCode, 0);
    assert.ok(statSync(file).size > 10_000);
    const context = join(engine.directory, 'context');
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nARG A\nRUN exit 7\n');
    const failed = await fairlead.run(['build', context]);
    assert.deepEqual([failed.exitCode, /^Step 1\/3 : FROM busybox$/m.test(failed.stdout)], [7, true], failed.stderr);
    const built = await fairlead.run(['build', '-q', '-t', 'built:1', '-'], 'FROM busybox\nLABEL a=b\n');
    assert.match(built.stdout, /^sha256:[0-9a-f]{64}\n$/, built.stderr);
    assert.equal(await engine.docker.ok('inspect', '-f', '{{.Config.Labels.a}}', 'built:1'), 'b');
  });

  it('logs in and out where docker does', async () => {
    await using guarded = await LocalRegistry.start({ login: true });
    const { username, password } = REGISTRY_LOGIN;
    const name = `${guarded.address}/cli/busybox:1`;
    await engine.docker.ok('tag', 'busybox', name);
    const login = ['login', '-u', username, '--password-stdin', guarded.address];
    const wrong = await fairlead.run(login, 'wrong');
    assert.deepEqual([wrong.exitCode, /unauthorized/i.test(wrong.stderr)], [1, true], wrong.stderr);
    assert.equal((await fairlead.run(['push', '-q', name])).exitCode, 1);
    const right = await fairlead.run(login, `${password}\n`);
    assert.deepEqual([right.exitCode, right.stdout], [0, 'Login Succeeded\n'], right.stderr);
    assert.equal((await fairlead.run(['push', '-q', name])).stdout, `${name}\n`);
    const config = readFileSync(join(engine.directory, '.docker/config.json'), 'utf8');
    assert.match(config, new RegExp(guarded.address));
    const out = await fairlead.run(['logout', guarded.address]);
    assert.equal(out.stdout, `Removing login credentials for ${guarded.address}\n`);
    assert.equal((await fairlead.run(['logout', guarded.address])).stdout, `Not logged in to ${guarded.address}\n`);
  });

  it('sends the same context as docker', async () => {
    const context = join(engine.directory, 'ignoring');
    for (const name of [
      'a/b/c.log',
      'a/b/keep.log',
      'a/x.md',
      'README.md',
      'node_modules/y',
      'z/node_modules/y',
      '.git/x',
      'ü',
    ]) {
      mkdirSync(join(context, dirname(name)), { recursive: true });
      writeFileSync(join(context, name), name);
    }
    const ignored = [
      '# nothing',
      '**/*.log',
      '!a/b/keep.log',
      '*.md',
      '/node_modules',
      '.git',
      'Dockerfile',
      '.dockerignore',
    ];
    writeFileSync(join(context, '.dockerignore'), ignored.join('\n'));
    writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY . /made\n');
    const listed: string[] = [];
    for (const cli of ['docker', 'fairlead'] as const) {
      const command = ['build', '-q', '--no-cache', '-t', `${cli}-context`, context];
      const built = cli === 'docker' ? await engine.docker.run(command) : await fairlead.run(command);
      assert.equal(built.exitCode, 0, built.stderr);
      const list = 'cd /made; find . | sort | xargs stat -c "%n %F %a %u"';
      listed.push(await engine.docker.ok('run', '--rm', '--network', 'none', `${cli}-context`, 'sh', '-c', list));
    }
    assert.match(listed[0] ?? '', /keep\.log/);
    assert.equal(listed[1], listed[0]);
  });

  it('makes, joins and removes what it lists', async () => {
    const ok = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await fairlead.run(args);
      assert.equal(exitCode, 0, `${args.join(' ')}: ${stderr}`);
      return stdout.trim();
    };
    assert.equal(await ok('volume', 'create', '--label', 'x=y', 'made'), 'made');
    assert.equal(await ok('volume', 'rm', 'made'), 'made');
    await ok('network', 'create', '--internal', '--subnet', '10.214.10.0/24', 'made');
    await engine.docker.ok('create', '--name', 'joins', '--network', 'made', 'busybox', 'true');
    await ok('network', 'disconnect', '-f', 'made', 'joins');
    await ok('network', 'connect', '--alias', 'db', 'made', 'joins');
    assert.match(await ok('commit', '-m', 'so', 'joins', 'committed:1'), /^sha256:/);
    assert.equal(await ok('rm', 'joins'), 'joins');
    assert.equal(await ok('network', 'rm', 'made'), 'made');
    const asked = await fairlead.run(['container', 'prune'], 'n\n');
    assert.match(asked.stdout, /^WARNING! This will remove all stopped containers\.\nAre you sure .* \[y\/N\] $/);
    const stats = fairlead.start(['stats', 'web']);
    await stats.says(/CONTAINER ID +NAME +CPU %[^]*web[^]*CONTAINER ID[^]*web/);
    await stats[Symbol.asyncDispose]();
  });
});

/** What is below a directory: names, kinds, modes, targets and contents. */
async function shapeOf(root: string): Promise<string> {
  return globSync('**', { cwd: root })
    .toSorted()
    .map((name) => {
      const path = join(root, name);
      if (!existsSync(path)) return `${name} -> ${readlinkSync(path)}`;
      const found = statSync(path);
      return `${name} ${found.mode.toString(8)} ${found.isFile() ? readFileSync(path, 'utf8') : ''}`;
    })
    .join('\n');
}
