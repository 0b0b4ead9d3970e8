import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Without the cache every start strips and compiles this program anew: 60 ms more.
enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? join(import.meta.dirname, '../../../node_modules/.cache/fairlead'));

const [{ runProgram }, { processContext }] = await Promise.all([import('./program.ts'), import('./process-context.ts')]);
const exitCode = await runProgram(process.argv.slice(2), processContext);
// Idle connections and a terminal waiting for input would keep the process; all output has been waited for.
process.exit(exitCode);
