import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { LOG_LINE_CHARS_MAX, type LogLine, LogLines } from './log-lines.ts';

const STAMP = '2026-01-02T03:04:05.123456789Z';
const LATER = '2026-01-02T03:04:06.000000000Z';

interface Piece {
  readonly bytes: Uint8Array;
  readonly begins: boolean;
}

const record = (text: string | Uint8Array, stamp = STAMP): Piece => ({
  bytes: Buffer.concat([Buffer.from(`${stamp} `), Buffer.from(text)]),
  begins: true,
});

function linesOf(pieces: readonly Piece[], framed = true): readonly LogLine[] {
  const lines = new LogLines('stdout', framed);
  return [...pieces.flatMap((piece) => lines.push(piece)), ...lines.end()];
}

const texts = (lines: readonly LogLine[]): readonly string[] => lines.map(({ text }) => text);

describe('LogLines', () => {
  it('gives each line its time, as a Date and to the nanosecond', () => {
    const [line] = linesOf([record('hello\n')]);
    assert.deepEqual(
      [line?.stream, line?.text, line?.timestamp, line?.time],
      ['stdout', 'hello', STAMP, new Date('2026-01-02T03:04:05.123Z')],
    );
  });

  it('joins the records of a long line under the time of the first, also within a character', () => {
    const euro = Buffer.from('€');
    const first = Buffer.concat([Buffer.alloc(16_383, 'x'), euro.subarray(0, 1)]);
    const rest = Buffer.concat([euro.subarray(1), Buffer.from(' 5\n')]);
    const lines = linesOf([record(first), record(rest, LATER), record('next\n', LATER)]);
    assert.deepEqual(texts(lines), [`${'x'.repeat(16_383)}€ 5`, 'next']);
    assert.deepEqual(
      lines.map(({ timestamp }) => timestamp),
      [STAMP, LATER],
    );
  });

  it('finds the timestamps of a log without frames by the ends of lines and of records', () => {
    const long = `${STAMP} ${'x'.repeat(16_384)}${LATER} tail\r\n${LATER} short\r\n`;
    const lines = linesOf([{ bytes: Buffer.from(long), begins: false }], false);
    assert.deepEqual(texts(lines), [`${'x'.repeat(16_384)}tail`, 'short']);
  });

  it('takes what is no timestamp for text', () => {
    for (const text of ['hello world', 'noblank', `${'y'.repeat(60)} z`, '', ' lead', '2026-01-02 x'])
      assert.deepEqual(texts(linesOf([{ bytes: Buffer.from(`${text}\n`), begins: true }])), [text]);
  });

  it('keeps empty lines, and a last line without an end', () => {
    assert.deepEqual(texts(linesOf([record('\n'), record('end')])), ['', 'end']);
  });

  it('hands on an endless line in pieces', () => {
    const pieces = Array.from({ length: 9 }, () => record(Buffer.alloc(16_384, 'z')));
    const lines = linesOf(pieces);
    assert.deepEqual(
      lines.map(({ text }) => text.length),
      [LOG_LINE_CHARS_MAX, LOG_LINE_CHARS_MAX, 9 * 16_384 - 2 * LOG_LINE_CHARS_MAX],
    );
  });

  it('gives the same lines however the bytes were cut on their way', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((line) => !/[\r\n]/.test(line));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), fc.integer({ min: 1, max: 9 }), (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${STAMP} ${line}\n`).join(''));
        const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => ({
          bytes: bytes.subarray(at * size, (at + 1) * size),
          begins: at === 0,
        }));
        assert.deepEqual(texts(linesOf(pieces)), lines);
      }),
    );
  });
});
