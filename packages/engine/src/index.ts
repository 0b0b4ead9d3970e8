export { Engine } from './compose.ts';
export { DEFAULT_HOST, DEFAULT_ROOT, logLevelOf, type EngineConfig, type LogLevel } from './config/config.ts';
export { runEngine, type RunEngineOptions } from './main.ts';
