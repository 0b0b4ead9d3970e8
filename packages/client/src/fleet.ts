export { ChannelPulse } from './fleet/channel-pulse.ts';
export { SessionEnd } from './fleet/session-end.ts';
export type { SessionChannel } from './fleet/session-keeper.ts';
export { SessionViewer, type SessionItem } from './fleet/session-viewer.ts';
export { wayToHub } from './fleet/way-to-hub.ts';
