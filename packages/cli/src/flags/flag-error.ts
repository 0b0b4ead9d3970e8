/** What was typed is not what the command takes. The message uses the words of Docker's CLI. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
}
