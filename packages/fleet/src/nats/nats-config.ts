import { agentPermissions, type HostId } from '@fairlead/protocol/fleet';

/** An enrolled agent, as the nats-server knows it. */
export interface NatsAgent {
  readonly host: HostId;
  /** Its nkey's public half: `U…`. */
  readonly publicKey: string;
}

/** What the generated configuration of the hub's own nats-server says. */
export interface NatsConfig {
  readonly listen: { readonly host: string; readonly port: number };
  readonly serverName: string;
  readonly pidFile: string;
  readonly storeDir: string;
  /** Public nkeys: the hub may do everything in the fleet's account, `system` hears who comes and goes. */
  readonly hubKey: string;
  readonly systemKey: string;
  readonly agents: readonly NatsAgent[];
}

/** The account that hub and agents share; `$SYS.ACCOUNT.FLEET.CONNECT` names it. */
export const FLEET_ACCOUNT = 'FLEET';

/** One message: a command (512 KiB), an outcome with its output (128 KiB) or an inventory, and what is around it. */
export const PAYLOAD_BYTES_MAX: number = 1024 * 1024;
/** What JetStream may take of the disk. 64 commands of 512 KiB for each of 1,000 hosts are 32 GiB; a queue that full is no use to anyone. */
const STORE_BYTES_MAX: number = 8 * 1024 ** 3;
const MEMORY_BYTES_MAX: number = 64 * 1024 ** 2;
/** A reader that takes nothing for so long is cut off. Source: fleet.md, measured with 2.9.10. */
const WRITE_DEADLINE = '10s';
/** Of proving a key: two seconds are few when a thousand agents come back at once to a machine that is busy. */
const AUTHENTICATE_WITHIN_S = 15;
/** Finds a dead peer: two pings without an answer. */
const PING_INTERVAL = '20s';
const PINGS_MISSED_MAX = 2;

/** The configuration as text. NATS's own format takes JSON, so nothing in it can be taken for something else. */
export function natsConfig(config: NatsConfig): string {
  const { listen } = config;
  const users = [{ nkey: config.hubKey }, ...config.agents.map(agentUser)];
  return JSON.stringify({
    listen: `${listen.host}:${listen.port}`,
    server_name: config.serverName,
    pid_file: config.pidFile,
    max_payload: PAYLOAD_BYTES_MAX,
    write_deadline: WRITE_DEADLINE,
    authorization: { timeout: AUTHENTICATE_WITHIN_S },
    ping_interval: PING_INTERVAL,
    ping_max: PINGS_MISSED_MAX,
    jetstream: { store_dir: config.storeDir, max_mem: MEMORY_BYTES_MAX, max_file: STORE_BYTES_MAX },
    system_account: 'SYS',
    accounts: {
      SYS: { users: [{ nkey: config.systemKey }] },
      [FLEET_ACCOUNT]: { jetstream: 'enabled', users },
    },
  });
}

/** What a site's own nats-server must know of one agent: its key and its permissions. */
export function agentUser(agent: NatsAgent): object {
  const { publish, subscribe } = agentPermissions(agent.host);
  return {
    nkey: agent.publicKey,
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  };
}
