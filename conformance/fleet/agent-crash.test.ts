import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fairleadProgram } from '../private-fairlead.ts';
import { AgentWorld } from './agent-world.ts';
import { CRASH_COMMANDS, type CrashCommand } from './crash-verbs.ts';

/** `CRASH_POINTS=all` is every boundary of every verb, and takes a quarter of an hour; else one of each verb, another one every time. */
const ALL = process.env['CRASH_POINTS'] === 'all';
const ONLY = process.env['CRASH_VERB'];
/** One boundary by its name. */
const PLACE = process.env['CRASH_PLACE'];
const VERB_MS = 30 * 60_000;
/** A live command that the agent has not written down is nobody's: it has to be quiet for so long. */
const QUIET_MS = 500;

/** Every boundary of the journal that the verb passes. PHASE: the first is the acceptance, the second tells that the engine is asked. */
function placesOf({ steps }: CrashCommand): readonly string[] {
  const records = ['RECEIVED', 'CLAIMED', 'PHASE', 'STARTED', 'PHASE*2', 'DONE', 'ACKED'];
  const stepRecords = Array.from({ length: steps }, (_, at) => `STEP*${at + 1}`);
  return [...records, ...stepRecords].flatMap((record) => [`before:${record}`, `after:${record}`]);
}

describe('an agent that is killed in the middle of', { skip: process.getuid?.() !== 0 }, () => {
  let world: AgentWorld;
  before(async () => {
    world = await AgentWorld.open(fairleadProgram);
  });
  after(async () => await world[Symbol.asyncDispose]());

  for (const command of CRASH_COMMANDS.filter(({ name }) => ONLY === undefined || name === ONLY)) {
    it(
      `${command.name} tells the truth when it is back, and does nothing twice`,
      { timeout: VERB_MS },
      async (test) => {
        const all = placesOf(command);
        const places = PLACE !== undefined ? [PLACE] : ALL ? all : [all[Math.floor(Math.random() * all.length)] ?? ''];
        const findings: string[] = [];
        for (const place of places) {
          test.diagnostic(place);
          findings.push(...(await crashAt(command, place)).map((wrong) => `${place}: ${wrong}`));
        }
        assert.deepEqual(findings, [], world.agentLog().split('\n').slice(-40).join('\n'));
      },
    );
  }

  let count = 0;

  async function crashAt(command: CrashCommand, place: string): Promise<readonly string[]> {
    const { client, hub } = world;
    count += 1;
    const name = `${command.name}-${count}`;
    const asked = await command.prepare(client, name);
    await world.startLinkedAgent({ crash: place });
    const id = hub.send(asked);
    const how = await world.agentEnded();
    if (how !== 137) return [`it did not crash: exit code ${how}`];
    const isClaimed = (hub.operations.get(id)?.claims ?? 0) > 0;
    await world.startLinkedAgent();
    const end = isClaimed || place !== 'before:RECEIVED' ? await hub.end(id) : (await sleep(QUIET_MS), undefined);
    const wrong = [...(await command.wrong(client, name, end))];
    const { events = [] } = hub.operations.get(id) ?? {};
    if (events.some(({ seq }, index) => seq !== index + 1)) wrong.push(`events with gaps: ${JSON.stringify(events)}`);
    if (end?.state === 'UNKNOWN' && command.name !== 'exec') wrong.push('UNKNOWN, where looking tells it');
    if ((await world.stopAgent()) !== 0) wrong.push('the agent did not leave by itself');
    for (const { Id } of await client.containers.list({ all: true }))
      await client.containers.remove(Id, { force: true });
    return wrong;
  }
});
