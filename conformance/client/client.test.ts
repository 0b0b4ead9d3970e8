import { after, before } from 'node:test';
import { LocalRegistry } from '../local-registry.ts';
import { clientSessions } from './client-session.ts';
import { containerChangeFacts, containerFacts, containerFileFacts } from './container-facts.ts';
import { networkFacts, systemFacts, volumeFacts } from './host-facts.ts';
import { imageFacts } from './image-facts.ts';
import { buildFacts, registryFacts, type Registries } from './registry-facts.ts';

let registries: Registries;

before(async () => {
  const [open, guarded] = await Promise.all([LocalRegistry.start(), LocalRegistry.start({ login: true })]);
  registries = { open, guarded };
});

after(async () => {
  for (const registry of [registries.open, registries.guarded]) await registry[Symbol.asyncDispose]();
});

clientSessions(
  'the client',
  (session, fact) => {
    containerFileFacts(session, fact);
    containerChangeFacts(session, fact);
    containerFacts(session, fact);
    imageFacts(session, fact);
    volumeFacts(session, fact);
    networkFacts(session, fact);
    systemFacts(session, fact);
    buildFacts(session, fact);
    registryFacts(session, fact, () => registries);
  },
  { registries: () => [registries.open, registries.guarded] },
);
