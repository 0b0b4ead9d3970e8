import type { CliContext } from '../context.ts';
import { EXIT_FAILURE, failureText } from '../exit-codes.ts';

/**
 * Does the same to several containers at once; what succeeds is printed in the order typed, what fails on stderr.
 *
 * @returns 1 when one of them failed.
 */
export async function forEach(
  context: CliContext,
  refs: readonly string[],
  each: (ref: string) => Promise<string>,
): Promise<number> {
  const outcomes = await Promise.allSettled(refs.map(each));
  let exitCode = 0;
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') {
      if (outcome.value !== '') await context.out(`${outcome.value}\n`);
      continue;
    }
    await context.err(failureText(outcome.reason));
    exitCode = EXIT_FAILURE;
  }
  return exitCode;
}
