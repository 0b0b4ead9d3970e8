import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { LogRecord } from '../../core/ports/container-log.ts';
import { LOG_RECORD_BYTES_MAX, LogJoiner } from './log-joiner.ts';
import { endOfRunLine, LogLineParser, type LogTag } from './log-line.ts';

const at = '2026-11-22T04:42:28.700836243+00:00';
const letters: Readonly<Record<LogTag, string>> = { full: 'F', part: 'P', 'end-of-run': 'E' };

function line(tag: LogTag, text: string, stream = 'stdout'): Buffer {
  return Buffer.from(`${at} ${stream} ${letters[tag]} ${text}\n`, 'latin1');
}

function join(lines: readonly Buffer[]): readonly LogRecord[] {
  const parser = new LogLineParser();
  const joiner = new LogJoiner();
  const records = lines.flatMap((bytes) => {
    const parsed = parser.parse(bytes);
    return parsed === undefined ? [] : joiner.push(parsed);
  });
  return [...records, ...joiner.end()];
}

function texts(records: readonly LogRecord[]): readonly string[] {
  return records.map(({ text }) => Buffer.from(text).toString('latin1'));
}

const long = 'x'.repeat(LOG_RECORD_BYTES_MAX);
const cases: readonly {
  readonly fact: string;
  readonly lines: readonly Buffer[];
  readonly texts: readonly string[];
}[] = [
  { fact: 'a full line is a record with its newline', lines: [line('full', 'a b')], texts: ['a b\n'] },
  { fact: 'parts are joined', lines: [line('part', 'a'), line('part', 'b'), line('full', 'c')], texts: ['abc\n'] },
  {
    fact: 'streams are joined apart',
    lines: [line('part', 'a'), line('full', 'e', 'stderr'), line('full', 'b')],
    texts: ['e\n', 'ab\n'],
  },
  { fact: 'an unfinished line comes without newline', lines: [line('part', 'prompt> ')], texts: ['prompt> '] },
  {
    fact: 'the end of a run cuts an unfinished line',
    lines: [line('part', 'a'), Buffer.from(endOfRunLine(new Date(0))), line('full', 'b')],
    texts: ['a', 'b\n'],
  },
  { fact: 'a line of exactly one record has its newline apart', lines: [line('full', long)], texts: [long, '\n'] },
  { fact: 'a longer line is cut', lines: [line('part', long), line('full', 'y')], texts: [long, 'y\n'] },
  { fact: 'damage is skipped', lines: [Buffer.from('garbage\n'), line('full', 'a')], texts: ['a\n'] },
];

describe('LogJoiner', () => {
  for (const { fact, lines, texts: expected } of cases) it(fact, () => assert.deepEqual(texts(join(lines)), expected));

  it('yields the text that was written, in records of at most 16 KiB, however it was cut into parts', () => {
    const written = fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 5 });
    const cuts = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(written, cuts, (lengths, sizes) => {
        let turn = 0;
        const lines = lengths.flatMap((length) => {
          const text = 'z'.repeat(length);
          const parts: Buffer[] = [];
          let from = 0;
          for (let size = next(); from + size < length; size = next()) {
            parts.push(line('part', text.slice(from, from + size)));
            from += size;
          }
          return [...parts, line('full', text.slice(from))];
        });
        const records = texts(join(lines));
        assert.equal(records.join(''), lengths.map((length) => `${'z'.repeat(length)}\n`).join(''));
        for (const text of records) assert.ok(text.replace('\n', '').length <= LOG_RECORD_BYTES_MAX);
        for (const text of records) if (!text.endsWith('\n')) assert.equal(text.length, LOG_RECORD_BYTES_MAX);

        function next(): number {
          return sizes[turn++ % sizes.length] ?? 1;
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('LogLineParser', () => {
  it('reads the time to the nanosecond, in any zone', () => {
    const parser = new LogLineParser();
    const parse = (time: string) => parser.parse(Buffer.from(`${time} stderr F x\n`))?.timeNanos;
    assert.equal(
      parse('2026-11-22T04:42:28.700836243+00:00'),
      BigInt(Date.UTC(2026, 10, 22, 4, 42, 28)) * 1_000_000n + 700_836_243n,
    );
    assert.equal(
      parse('2026-11-22T05:42:28.000000001+01:00'),
      BigInt(Date.UTC(2026, 10, 22, 4, 42, 28)) * 1_000_000n + 1n,
    );
    assert.equal(parse('2026-13-22T05:42:28.000000001+01:00'), undefined);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void new LogLineParser().parse(Buffer.from(bytes))),
    );
  });
});
