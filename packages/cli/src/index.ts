export { runProgram, type MakeContext } from './program.ts';
export type { CliContext } from './context.ts';
export { VERSION } from './version.ts';
