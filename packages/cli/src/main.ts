import { processContext } from './process-context.ts';
import { runProgram } from './program.ts';

// The launcher has switched on the compile cache for this process; what we start ourselves is not to inherit it.
delete process.env['NODE_COMPILE_CACHE'];

const exitCode = await runProgram(process.argv.slice(2), processContext);
// Idle connections and a terminal waiting for input would keep the process; all output has been waited for.
process.exit(exitCode);
