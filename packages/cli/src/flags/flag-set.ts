import { FlagError } from './flag-error.ts';

/** A flag's value after parsing. `given` tells the default from the same value typed. */
export interface FlagValue<T> {
  readonly value: T;
  readonly given: boolean;
}

/** How a flag reads what was typed. */
export interface FlagType<T> {
  /** The word behind the flag in the help text: `string`, `list`, `int`. Empty for switches. */
  readonly word: string;
  readonly initial: T;
  /** What the bare flag stands for, when it may stand without a value: `--rm` is `--rm=true`. */
  readonly bare?: string;
  /** @throws Error whose message says what is wrong with `text`, as Docker would. */
  parse(text: string, previous: T): T;
}

/** One line of the help text. */
export interface FlagHelp {
  readonly long: string;
  readonly short: string | undefined;
  readonly word: string;
  readonly usage: string;
}

export interface ParseOptions {
  /** Flags end at the first argument that is none, as for `run` and `exec`: the rest belongs to the container. */
  readonly stopAtFirstArgument: boolean;
}

interface Flag extends FlagHelp {
  readonly bare: string | undefined;
  set(text: string): void;
}

/**
 * The flags of one command, read as Docker's CLI reads them (Go's pflag): `-it`, `-eA=1`, `-e A=1`, `--env A=1`,
 * `--env=A=1`, `--rm=false`, `--` ends the flags, a lone `-` is an argument.
 */
export class FlagSet {
  readonly #byLong = new Map<string, Flag>();
  readonly #byShort = new Map<string, Flag>();

  /** Declares a flag. `names` is `long` or `long,x`; `usage` is its line of help. */
  add<T>(names: string, usage: string, type: FlagType<T>): FlagValue<T> {
    const cell = { value: type.initial, given: false };
    const [long = names, short] = names.split(',');
    const flag: Flag = {
      long,
      short,
      usage,
      word: type.word,
      bare: type.bare,
      set: (text) => {
        cell.value = this.#read(flag, () => type.parse(text, cell.value), text);
        cell.given = true;
      },
    };
    this.#byLong.set(long, flag);
    if (short !== undefined) this.#byShort.set(short, flag);
    return cell;
  }

  /** For the help text, in alphabetical order. */
  describe(): readonly FlagHelp[] {
    return [...this.#byLong.values()].toSorted((a, b) => (a.long < b.long ? -1 : 1));
  }

  /**
   * Sets the flags and gives back what is not a flag.
   *
   * @throws FlagError `unknown flag: --x`, `flag needs an argument: --x`, `invalid argument …`.
   */
  parse(argv: readonly string[], options: ParseOptions): readonly string[] {
    const rest = [...argv];
    const args: string[] = [];
    for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
      if (word === '--') return [...args, ...rest];
      if (!word.startsWith('-') || word === '-') {
        if (options.stopAtFirstArgument) return [word, ...rest];
        args.push(word);
      } else if (word.startsWith('--')) {
        this.#long(word.slice(2), rest);
      } else {
        this.#shorts(word, rest);
      }
    }
    return args;
  }

  #long(word: string, rest: string[]): void {
    const at = word.indexOf('=');
    const name = at === -1 ? word : word.slice(0, at);
    const flag = this.#byLong.get(name) ?? this.#help(name === 'help', `unknown flag: --${name}`);
    if (at !== -1) return flag.set(word.slice(at + 1));
    if (flag.bare !== undefined) return flag.set(flag.bare);
    const value = rest.shift();
    if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
    flag.set(value);
  }

  #shorts(word: string, rest: string[]): void {
    for (let left = word.slice(1); left !== '';) {
      const letter = left.charAt(0);
      left = left.slice(1);
      const unknown = `unknown shorthand flag: '${letter}' in ${word}`;
      const flag = this.#byShort.get(letter) ?? this.#help(letter === 'h', unknown);
      if (left.startsWith('=')) return flag.set(left.slice(1));
      if (flag.bare !== undefined) {
        flag.set(flag.bare);
        continue;
      }
      const value = left === '' ? rest.shift() : left;
      if (value === undefined) throw new FlagError(`flag needs an argument: '${letter}' in ${word}`);
      return flag.set(value);
    }
  }

  #help(asked: boolean, unknown: string): never {
    throw asked ? new HelpAsked() : new FlagError(unknown);
  }

  #read<T>(flag: FlagHelp, parse: () => T, text: string): T {
    try {
      return parse();
    } catch (cause) {
      const names = flag.short === undefined ? `--${flag.long}` : `-${flag.short}, --${flag.long}`;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new FlagError(`invalid argument "${text}" for "${names}" flag: ${why}`, { cause });
    }
  }
}

/** `--help` or `-h` was typed, and the command has no flag of that name. */
export class HelpAsked extends Error {
  override readonly name = 'HelpAsked';
}
