export { HubPlace } from './hub/hub-place.fixture.ts';
export { ScriptedHub, type Told } from './agent/scripted-hub.fixture.ts';
export { type NatsTestPlace, natsTestPlace, testAgent, type TestAgent, testHost } from './nats/nats-place.fixture.ts';
