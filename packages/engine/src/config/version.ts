/** Version of the engine, as `/version` tells it. The same as in package.json: a test compares them. */
export const ENGINE_VERSION = '0.1.0';
