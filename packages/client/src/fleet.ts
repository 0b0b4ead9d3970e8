export { ChannelPulse } from './fleet/channel-pulse.ts';
export { SessionEnd, type SessionChannel } from './fleet/session-end.ts';
export { wayToHub } from './fleet/way-to-hub.ts';
