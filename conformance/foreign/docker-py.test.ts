import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { RunningCommand } from '../running-command.ts';
import { sessions } from '../sessions.ts';

/** Debian's python3-docker belongs to Debian's Python, whatever else is on PATH. */
const PYTHON = '/usr/bin/python3';
const PROGRAM = join(import.meta.dirname, 'docker-py-session.py');
/** How long all of them may take together. */
const ALL_WITHIN_MS = 60_000;

/** Each session of the program, by the name of its function. */
const SESSIONS: Readonly<Record<string, string>> = {
  run_gives_output: 'runs and gives what was said',
  run_tells_failures: 'tells failures by their kinds: ContainerError, ImageNotFound, NotFound, APIError',
  options_are_honoured: 'creates with options, which hold in the container, and updates limits',
  exec_in_every_way: 'execs: whole, streamed, demultiplexed, at a terminal, detached',
  exec_with_input: 'execs with input, half-closes, and resizes a terminal',
  attach_in_every_way: 'attaches with a socket, and as a stream',
  logs_in_every_way: 'reads logs: followed, by stream, the end of them, since',
  verbs_change_the_state: 'starts, pauses, renames, restarts, stops, kills, waits',
  lists_and_figures: 'lists by filters, and tells processes, statistics and changes',
  files_go_in_and_out: 'puts files in, gets them out, exports and commits',
  images_come_and_go: 'loads, tags, lists and removes images',
  events_tell_what_happens: 'hears events, live and past',
  volumes_keep_files: 'makes volumes that keep files',
  health_is_watched: 'sees a container become healthy',
  the_engine_tells_of_itself: 'asks about the engine, and prunes',
};

sessions('docker-py', (session) => {
  let python: RunningCommand;

  before(() => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: session.engine.directory,
      DOCKER_HOST: `unix://${session.engine.socketPath}`,
      SESSION_IMAGE: session.engine.imagePath,
    };
    python = new RunningCommand({ program: PYTHON, args: ['-B', PROGRAM, ...Object.keys(SESSIONS)], env });
    python.endInput();
  });

  after(() => python[Symbol.asyncDispose]());

  for (const [name, fact] of Object.entries(SESSIONS)) {
    it(fact, async () => {
      const [line] = await python.says(new RegExp(`^{"session": "${name}".*$`, 'm'), { withinMs: ALL_WITHIN_MS });
      const { failure } = JSON.parse(line) as { failure: string | null };
      assert.equal(failure, null, failure ?? undefined);
    });
  }
});
