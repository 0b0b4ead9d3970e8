import type * as nodeHttp from 'node:http';

/**
 * Node's HTTP server, asked for instead of imported: an import evaluates every export of a built-in module, also those for clients of
 * WebSockets, and these load what nobody here uses, which takes 25 ms of every start.
 */
export const http: typeof nodeHttp = process.getBuiltinModule('node:http');
