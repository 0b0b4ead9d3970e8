export { AGENT_VERSION, runAgent, type AgentOptions } from './agent/agent.ts';
export { type Hub, startHub } from './hub/hub.ts';
export type { HubListenOptions, HubOptions, SiteNats } from './hub/hub-options.ts';
export { type FleetLog, type FleetLogFields, jsonLinesLog, silentFleetLog } from './lib/log.ts';
export { startUp, type Up, type UpOptions } from './up.ts';
