import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../fake-clock.fixture.ts';
import { FakeEngine, json } from '../fake-engine.fixture.ts';
import type { PhaseReached } from './phases.ts';

const OPEN = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n';
const STOPPED = 'HTTP/1.1 204 No Content\r\n\r\n';

function line(Action: string, Attributes: object = {}): string {
  return `${JSON.stringify({ Type: 'container', Action, Actor: { ID: 'c1', Attributes }, timeNano: 1e9, time: 1 })}\n`;
}

async function phasesOf(engine: FakeEngine): Promise<readonly PhaseReached[]> {
  const phases: PhaseReached[] = [];
  const clock = new FakeClock();
  const client = engine.clientOn(clock);
  await client.containers.stop('web', { graceMs: 1_000, onPhase: (reached) => phases.push(reached) });
  return phases;
}

const words = (phases: readonly PhaseReached[]): readonly string[] => phases.map(({ phase }) => phase);

describe('followPhases', () => {
  it('tells by the events of the container, and is open before the stop is sent', async () => {
    const order: string[] = [];
    let say = (_: string): void => {};
    const engine = new FakeEngine(({ line: asked, socket }) => {
      order.push(asked.split(' ')[1]?.split('?')[0]?.split('/').at(-1) ?? '');
      if (asked.includes('/events')) {
        socket.write(OPEN);
        say = (text) => void socket.write(text);
      } else if (asked.includes('/stop')) {
        say(
          line('exec_create') +
            line('kill', { signal: '15' }) +
            line('kill', { signal: '9' }) +
            line('die') +
            line('stop'),
        );
        socket.write(STOPPED);
      } else socket.write(json('200 OK', { State: { ExitCode: 137 } }));
    });
    assert.deepEqual(words(await phasesOf(engine)), ['accepted', 'signal', 'grace', 'kill', 'confirm', 'done']);
    assert.deepEqual(order.slice(0, 2), ['events', 'stop']);
  });

  it('tells by the ledger, with its times, also what was over before it was asked', async () => {
    const at = (Phase: string, AtMs: number): object => ({ Phase, AtMs });
    let asked = 0;
    const Phases = [at('accepted', 0), at('signal', 1), at('grace', 1), at('confirm', 40)];
    const engine = new FakeEngine(({ line: request, socket }) => {
      if (request.includes('/info')) return void socket.write(json('200 OK', { KillConfirmMs: 10_000 }));
      if (request.includes('/stop'))
        return void socket.write(
          STOPPED.replace('\r\n\r\n', '\r\nFairlead-Outcome: exited; exit-code=0; took-ms=41\r\n\r\n'),
        );
      asked += 1;
      // The request to follow may overtake the one to stop.
      if (asked === 1) return void socket.write(json('404 Not Found', { message: 'No such operation' }));
      const documents = [{ Phases: Phases.slice(0, 2) }, { Phases: [...Phases, at('done', 41)] }];
      return void socket.end(OPEN + documents.map((document) => `${JSON.stringify(document)}\n`).join(''));
    }, 'Fairlead/1 (linux)');
    const phases = await phasesOf(engine);
    assert.deepEqual(words(phases), ['accepted', 'signal', 'grace', 'confirm', 'done']);
    assert.deepEqual(
      phases.slice(1).map(({ atMs }) => atMs),
      [1, 1, 40, 41],
    );
  });

  it('never touches the operation: a feed that breaks leaves the rest untold', async () => {
    const engine = new FakeEngine(({ line: asked, socket }) => {
      if (asked.includes('/events')) socket.end(`${OPEN}{"broken`);
      else if (asked.includes('/stop')) socket.write(STOPPED);
      else socket.write(json('200 OK', { State: { ExitCode: 0 } }));
    });
    assert.deepEqual(words(await phasesOf(engine)), ['accepted', 'done']);
  });

  it('asks nothing more when nobody listens', async () => {
    const engine = new FakeEngine(({ line: asked, socket }) => {
      if (asked.includes('/stop')) socket.write(STOPPED);
      else socket.write(json('200 OK', { State: { ExitCode: 0 } }));
    });
    await engine.clientOn(new FakeClock()).containers.stop('web', { graceMs: 0 });
    assert.deepEqual(
      engine.requests.map(({ line: asked }) => asked.split(' ')[0]),
      ['POST', 'GET'],
    );
  });
});
