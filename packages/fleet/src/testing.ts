export { dialThroughHub } from './agent/link/dial-hub.ts';
export { ScriptedHub, type Told } from './agent/scripted-hub.fixture.ts';
export { HubPlace, WireAgent, type WireAgentPlace } from './hub/hub-place.fixture.ts';
export { createKey, signWith } from './nats/fleet-key.ts';
export { type NatsTestPlace, natsTestPlace, testAgent, type TestAgent, testHost } from './nats/nats-place.fixture.ts';
