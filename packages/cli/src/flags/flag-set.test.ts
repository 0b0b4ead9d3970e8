import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlagSet } from './flag-set.ts';
import { integer, list, text, toggle } from './flag-types.ts';

interface Read {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly args: readonly string[];
}

function read(argv: readonly string[], stopAtFirstArgument: boolean = true): Read {
  const set = new FlagSet();
  const cells = {
    detach: set.add('detach,d', 'in the background', toggle()),
    env: set.add('env,e', 'environment', list()),
    interactive: set.add('interactive,i', 'keep stdin', toggle()),
    name: set.add('name', 'name', text()),
    proxy: set.add('sig-proxy', 'proxy signals', toggle(true)),
    time: set.add('time,t', 'seconds', integer()),
  };
  const args = set.parse(argv, { stopAtFirstArgument });
  return {
    args,
    flags: Object.fromEntries(Object.entries(cells).flatMap(([k, c]) => (c.given ? [[k, c.value]] : []))),
  };
}

describe('FlagSet', () => {
  const accepted: readonly { argv: string; flags: Record<string, unknown>; args: readonly string[] }[] = [
    { argv: '-di busybox ls -l', flags: { detach: true, interactive: true }, args: ['busybox', 'ls', '-l'] },
    { argv: '-e A=1 -eB=2 --env C=3 --env=D=4 x', flags: { env: ['A=1', 'B=2', 'C=3', 'D=4'] }, args: ['x'] },
    { argv: '-die=A x', flags: { detach: true, interactive: true, env: ['A'] }, args: ['x'] },
    { argv: '--sig-proxy=false --detach=false x', flags: { proxy: false, detach: false }, args: ['x'] },
    { argv: '-t=-1 x', flags: { time: -1 }, args: ['x'] },
    { argv: '-t -1 x', flags: { time: -1 }, args: ['x'] },
    { argv: '-- -d', flags: {}, args: ['-d'] },
    { argv: '- -d', flags: {}, args: ['-', '-d'] },
    { argv: '--name a --name b', flags: { name: 'b' }, args: [] },
  ];
  for (const { argv, flags, args } of accepted) {
    it(`reads ${argv}`, () => assert.deepEqual(read(argv.split(' ')), { flags, args }));
  }

  it('takes flags behind arguments where the command allows it', () => {
    assert.deepEqual(read(['web', '-d', 'db'], false), { flags: { detach: true }, args: ['web', 'db'] });
  });

  const refused = [
    { argv: '--bogus', message: 'unknown flag: --bogus' },
    { argv: '--bogus=1', message: 'unknown flag: --bogus' },
    { argv: '-dQ', message: "unknown shorthand flag: 'Q' in -dQ" },
    { argv: '--name', message: 'flag needs an argument: --name' },
    { argv: '-de', message: "flag needs an argument: 'e' in -de" },
    {
      argv: '-t x',
      message: 'invalid argument "x" for "-t, --time" flag: strconv.ParseInt: parsing "x": invalid syntax',
    },
    {
      argv: '--detach=perhaps',
      message:
        'invalid argument "perhaps" for "-d, --detach" flag: strconv.ParseBool: parsing "perhaps": invalid syntax',
    },
  ];
  for (const { argv, message } of refused) {
    it(`refuses ${argv}`, () => assert.throws(() => read(argv.split(' ')), { name: 'FlagError', message }));
  }

  it('hears --help', () => assert.throws(() => read(['--help']), { name: 'HelpAsked' }));
});
