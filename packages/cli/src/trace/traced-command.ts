import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, ExitError } from '../exit-codes.ts';

export interface CommandEnd {
  /** 128 and the signal's number for one that was killed, as in a shell. */
  readonly exitCode: number;
  /** A signal ended it, or was passed on to it. */
  readonly interrupted: boolean;
}

/** What would make a Docker client look elsewhere, or speak TLS to a socket that has none. */
const OVERRIDING: readonly string[] = [
  'DOCKER_CONTEXT',
  'DOCKER_TLS',
  'DOCKER_TLS_VERIFY',
  'DOCKER_CERT_PATH',
  'FAIRLEAD_HOST',
];
/** Signals that somebody sends to this process and means the command. */
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'];
/** Signals of a terminal's keys: the terminal sends them to the command by itself. */
const OF_KEYS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/**
 * Runs a command with this process's own streams, with `host` as its engine, to its end. Signals are passed on.
 *
 * @throws ExitError 127 when there is no such program, 126 when it cannot be run.
 */
export async function runTraced(command: readonly string[], host: string, env: NodeJS.ProcessEnv): Promise<CommandEnd> {
  const [program = '', ...args] = command;
  const inherited = Object.fromEntries(Object.entries(env).filter(([name]) => !OVERRIDING.includes(name)));
  const { promise, resolve, reject } = Promise.withResolvers<CommandEnd>();
  const child = spawn(program, args, { stdio: 'inherit', env: { ...inherited, DOCKER_HOST: host } });
  let interrupted = false;
  const heard = (signal: NodeJS.Signals): void => {
    interrupted = true;
    if (PASSED_ON.includes(signal) || !hasTerminal()) child.kill(signal);
  };
  for (const signal of [...PASSED_ON, ...OF_KEYS]) process.on(signal, heard);
  child.on('error', (cause) => reject(notStarted(program, cause)));
  child.on('exit', (code, signal) => {
    const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    resolve({ exitCode, interrupted: interrupted || signal !== null });
  });
  try {
    return await promise;
  } finally {
    for (const signal of [...PASSED_ON, ...OF_KEYS]) process.off(signal, heard);
  }
}

/** Whether this process is in the foreground of a terminal: then the keys' signals reach the command without us. */
function hasTerminal(): boolean {
  // pid (comm) state ppid pgrp session tty_nr tpgid. Source: proc(5). The name may have spaces and brackets in it.
  const [, fields = ''] = /\) (.*)$/s.exec(readFileSync('/proc/self/stat', 'utf8')) ?? [];
  const [, , group, , terminal, foreground] = fields.split(' ');
  return terminal !== '0' && group === foreground;
}

function notStarted(program: string, cause: Error): ExitError {
  const code = 'code' in cause ? String(cause.code) : '';
  if (code === 'ENOENT') return new ExitError(EXIT_NOT_FOUND, `${program}: no such program`, { cause });
  return new ExitError(EXIT_NOT_EXECUTABLE, `${program}: cannot be run (${code})`, { cause });
}
