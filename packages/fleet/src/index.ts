export { type Hub, startHub } from './hub/hub.ts';
export type { HubListenOptions, HubOptions, SiteNats } from './hub/hub-options.ts';
export { type FleetLog, jsonLinesLog, silentFleetLog } from './lib/log.ts';
