import { humanDuration, type ContainerSummary, type EndpointSettings, type StringMap } from '@fairlead/protocol';
import { endpointSettings } from './network-settings.ts';
import type { HealthRecord } from './health.ts';
import type { ContainerRecord } from './record.ts';
import { commandOf } from '../spec/merge-image-config.ts';
import { inspectedMounts } from './mount-points.ts';
import { portSummaries } from './port-views.ts';
import type { PredefinedNetworks } from '../network/predefined.ts';
import { exitCodeOf, isRestarting, lastOf, wireStatus } from './wire-state.ts';
import type { ContainerState } from './state.ts';

/** Facts for a list that the record does not hold. */
export interface SummaryFacts {
  readonly now: Date;
  /** False when the reference the container was made from now means another image: then the id is shown. */
  readonly imageRefIsCurrent: boolean;
  /** Host path of a volume's content. */
  readonly volumePath: (name: string) => string;
  readonly networks: PredefinedNetworks;
  /** Those it has as links of others: `/web/alias`. They follow its own, which clients take for the first. */
  readonly linkNames: readonly string[];
}

/** One row of `GET /containers/json`. */
export function summarize(record: ContainerRecord, facts: SummaryFacts): ContainerSummary {
  const networks: StringMap<EndpointSettings> = endpointSettings(record, facts.networks);
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...facts.linkNames],
    Image: facts.imageRefIsCurrent ? record.config.Image : record.imageId,
    ImageID: record.imageId,
    Command: commandLineOf(record),
    Created: Math.floor(record.createdAt.getTime() / 1000),
    Ports: portSummaries(record),
    Labels: record.config.Labels,
    State: wireStatus(record.state),
    Status: statusText(record.state, facts.now, record.health),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode },
    NetworkSettings: { Networks: networks },
    Mounts: inspectedMounts(record, facts.volumePath),
  };
}

/** Arguments with a blank in them are quoted, the program never is. Source: moby container/view.go, transform. */
function commandLineOf({ config }: ContainerRecord): string {
  const [program = '', ...args] = commandOf(config);
  return [program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** What `docker ps` shows in its STATUS column. Source: engine-api 2.1. */
export function statusText(state: ContainerState, now: Date, health?: HealthRecord): string {
  const since = (date: Date): string => humanDuration(now.getTime() - date.getTime());
  const last = lastOf(state);
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(state.startedAt)}${state.paused ? ' (Paused)' : healthText(health)}`;
    case 'restarting':
    case 'starting':
    case 'exited':
      if (last === undefined) return 'Created';
      return `${isRestarting(state) ? 'Restarting' : 'Exited'} (${exitCodeOf(state)}) ${since(last.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    default:
      return state satisfies never;
  }
}

function healthText(health: HealthRecord | undefined): string {
  if (health === undefined) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}
