export { ChannelPulse } from './fleet/channel-pulse.ts';
export { FrameWriter } from './fleet/frame-writer.ts';
export { SessionEnd } from './fleet/session-end.ts';
export type { SessionChannel } from './fleet/session-keeper.ts';
export { SessionViewer, type SessionItem } from './fleet/session-viewer.ts';
export { wayToHub } from './fleet/way-to-hub.ts';
export { SessionRefused } from './fleet/ask-for-session.ts';
export {
  FleetClient,
  type HubConnectOptions,
  type JoinOptions,
  type OpenSession,
  type OperationQuery,
} from './fleet/fleet-client.ts';
export { HubConnectionLostError, HubRefusedError, HubUnreachableError } from './fleet/hub-errors.ts';
export { PendingFleetOperation, type FleetListening } from './fleet/pending-fleet-operation.ts';
export type { SseEvent } from './fleet/sse-feed.ts';
