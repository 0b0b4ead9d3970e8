import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import type { CastHead } from './asciicast.ts';
import { Recordings } from './recordings.ts';

const HEAD: CastHead = { size: { rows: 24, columns: 80 }, title: 'web by ann', command: 'sh -c "echo €"' };
const ROOMY = { bytesMax: 100_000, totalBytesMax: 1_000_000, countMax: 100 };

describe('Recordings', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'casts-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('are asciicasts: a head, then events in the order of their time, characters whole', async () => {
    let count = 0;
    const recordings = await Recordings.open(directory, ROOMY);
    const cuts = fc.array(fc.record({ stream: fc.constantFrom(1 as const, 2 as const), length: fc.nat(7) }));
    const texts = fc.record({ 1: fc.string({ unit: 'binary' }), 2: fc.string({ unit: 'binary' }) });
    await fc.assert(
      fc.asyncProperty(texts, cuts, async (said, pieces) => {
        count += 1;
        const cast = await recordings.begin(`s_${count}`, HEAD);
        const left = { 1: Buffer.from(said[1]), 2: Buffer.from(said[2]) };
        for (const { stream, length } of [
          ...pieces,
          { stream: 1, length: 9_999 },
          { stream: 2, length: 9_999 },
        ] as const) {
          await cast.output({ stream, bytes: left[stream].subarray(0, length) });
          left[stream] = left[stream].subarray(length);
        }
        await recordings.end(`s_${count}`);
        const { head, events } = castOf(readFileSync(join(directory, `s_${count}.cast`), 'utf8'));
        const { timestamp, ...rest } = head;
        assert.ok(Math.abs(Date.now() / 1000 - timestamp) < 100);
        assert.deepEqual(rest, { version: 2, width: 80, height: 24, title: HEAD.title, command: HEAD.command });
        const times = events.map(([time]) => time);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
        // The streams are shown as they come, a character after its last byte.
        const shown = events.map(([, , text]) => text).join('');
        assert.equal(
          [...shown].toSorted().join(''),
          [...said[1].toWellFormed(), ...said[2].toWellFormed()].toSorted().join(''),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('have what was typed and how large the terminal became, where it happened', async () => {
    const recordings = await Recordings.open(directory, ROOMY);
    const cast = await recordings.begin('s_a', HEAD);
    await Promise.all([
      cast.input(Buffer.from('l')),
      cast.output({ stream: 1, bytes: Buffer.from('l') }),
      cast.resize({ rows: 50, columns: 132 }),
      cast.output({ stream: 1, bytes: Buffer.from([0xe2, 0x82]) }),
    ]);
    await recordings.end('s_a');
    const { events } = castOf(readFileSync(join(directory, 's_a.cast'), 'utf8'));
    assert.deepEqual(
      events.map(([, kind, text]) => [kind, text]),
      [
        ['i', 'l'],
        ['o', 'l'],
        ['r', '132x50'],
        ['o', '\ufffd'],
      ],
    );
  });

  it('end at their limit, and say so', async () => {
    const recordings = await Recordings.open(directory, { ...ROOMY, bytesMax: 2_000 });
    const cast = await recordings.begin('s_a', HEAD);
    // Six bytes of JSON each.
    for (let at = 0; at < 100; at += 1) await cast.output({ stream: 1, bytes: Buffer.alloc(20, 1) });
    await recordings.end('s_a');
    const text = readFileSync(join(directory, 's_a.cast'), 'utf8');
    assert.ok(text.length < 2_200, `${text.length} bytes`);
    assert.match(castOf(text).events.at(-1)?.[2] ?? '', /the recording ends here/);
  });

  it('go, the oldest first, when there is no room for another; none that still grows', async () => {
    const recordings = await Recordings.open(directory, { ...ROOMY, countMax: 3 });
    await recordings.begin('s_open', HEAD);
    for (const [at, name] of ['s_b', 's_c', 's_d', 's_e'].entries()) {
      await recordings.begin(name, HEAD);
      await recordings.end(name);
      utimesSync(join(directory, `${name}.cast`), 1_000_000 + at, 1_000_000 + at);
    }
    const kept = await recordings.list();
    assert.deepEqual(
      kept.map(({ sessionId, isOpen, title, command }) => [sessionId, isOpen, title, command]),
      [
        ['s_open', true, HEAD.title, HEAD.command],
        ['s_e', false, HEAD.title, HEAD.command],
        ['s_d', false, HEAD.title, HEAD.command],
      ],
    );
    await recordings.end('s_open');
  });

  it('are whole lines again after their agent was killed in the middle of one', async () => {
    const before = await Recordings.open(directory, ROOMY);
    const cast = await before.begin('s_a', HEAD);
    await cast.output({ stream: 1, bytes: Buffer.from('all of it') });
    await before.end('s_a');
    appendFileSync(join(directory, 's_a.cast'), `[1.5,"o","${'torn'.repeat(100_000)}`);
    const { events } = castOf((await wholeOf(await Recordings.open(directory, ROOMY), 's_a')).toString());
    assert.deepEqual(
      events.map(([, , text]) => text),
      ['all of it'],
    );
  });

  it('are read piece by piece, and nothing that is not there', async () => {
    const recordings = await Recordings.open(directory, { ...ROOMY, bytesMax: 2_000_000 });
    const cast = await recordings.begin('s_a', HEAD);
    for (let at = 0; at < 100; at += 1) await cast.output({ stream: 2, bytes: Buffer.alloc(10_000, 'x') });
    const { events } = castOf((await wholeOf(recordings, 's_a')).toString());
    assert.equal(events.length, 100);
    await recordings.end('s_a');
    await assert.rejects(recordings.read('s_b', 0), /no recording of session s_b/);
  });
});

async function wholeOf(recordings: Recordings, sessionId: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (
    let piece = await recordings.read(sessionId, 0);
    piece.length > 0;
    piece = await recordings.read(sessionId, offset)
  ) {
    pieces.push(piece);
    offset += piece.length;
  }
  return Buffer.concat(pieces);
}

interface Cast {
  readonly head: { readonly timestamp: number };
  readonly events: readonly (readonly [time: number, kind: 'o' | 'i' | 'r', text: string])[];
}

function castOf(text: string): Cast {
  const lines = text.split('\n');
  assert.equal(lines.pop(), '', 'the last line is whole');
  const [head, ...events] = lines.map((line): unknown => JSON.parse(line));
  return { head, events } as Cast;
}
