import type { CliContext } from '../context.ts';

/**
 * Asks on the terminal whether to go on, as Docker does: `y` or `Y` is yes, everything else, and no answer, is no.
 */
export async function confirm(context: CliContext, warning: string): Promise<boolean> {
  await context.out(`${warning}\nAre you sure you want to continue? [y/N] `);
  const input: AsyncIterable<Uint8Array> = context.terminal.stdin;
  let answer = '';
  for await (const chunk of input) {
    answer += Buffer.from(chunk).toString('utf8');
    if (answer.includes('\n')) break;
  }
  return answer.split('\n')[0]?.trim().toLowerCase() === 'y';
}
