/** Signals that are passed on to the container. Not: KILL and STOP (nobody can), CHLD, PIPE, URG (ours), WINCH (a resize). */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
];

/** Whoever presses Ctrl-C this often wants out, whatever the container thinks. Source: docker/cli, main.go. */
const FORCED_EXIT_AFTER = 3;

/** Passes signals on until disposed. `onForced` is called at the third SIGINT or SIGTERM. */
export function forwardSignals(send: (signal: NodeJS.Signals) => void, onForced: () => void): Disposable {
  let endings = 0;
  const pass = (signal: NodeJS.Signals): void => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') endings += 1;
    if (endings >= FORCED_EXIT_AFTER) onForced();
    else send(signal);
  };
  for (const signal of FORWARDED) process.on(signal, pass);
  return {
    [Symbol.dispose]: () => {
      for (const signal of FORWARDED) process.off(signal, pass);
    },
  };
}
