import { formatDate, type ContainerConfig, type Health, type Healthcheck } from '@fairlead/protocol';
import type { ContainerState } from './state.ts';

/** What is known about a container's health. Absent until a container with a health check was started once. */
export interface HealthRecord {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  /** Failed probes in a row; those of the start period do not count. */
  readonly failingStreak: number;
  /** The last probes, oldest first, of earlier runs, too. At most `HEALTH_LOG_MAX`. */
  readonly log: readonly ProbeResult[];
}

/** How one probe ended. */
export interface ProbeResult {
  readonly start: Date;
  readonly end: Date;
  /** -1 when it could not be run, or took too long. */
  readonly exitCode: number;
  readonly output: string;
}

/** A container's health check with every default filled in. */
export interface HealthRules {
  /** What is executed. */
  readonly command: readonly string[];
  /** From the end of a probe to the beginning of the next. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** How long after the start a failure is none yet. */
  readonly startPeriodMs: number;
  /** The interval within the start period, until the first success. */
  readonly startIntervalMs: number;
  /** So many failures in a row make it unhealthy. */
  readonly retries: number;
}

/** The run under way, for what is counted from its beginning. */
export interface HealthClock {
  readonly rules: HealthRules;
  readonly startedAt: Date;
}

/** Source: moby daemon/health.go, maxLogEntries. */
export const HEALTH_LOG_MAX = 5;
/** Source: moby daemon/health.go, defaultProbeInterval. */
const INTERVAL_MS = 30_000;
/** Source: moby daemon/health.go, defaultProbeTimeout. */
const TIMEOUT_MS = 30_000;
/** Source: moby daemon/health.go, defaultStartInterval. */
const START_INTERVAL_MS = 5_000;
/** Source: moby daemon/health.go, defaultProbeRetries. */
const RETRIES = 3;
const NANOS_PER_MS = 1_000_000;
const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** How a container's health is found out; undefined without a health check, or with one that is turned off. */
export function healthRulesOf(config: Pick<ContainerConfig, 'Healthcheck' | 'Shell'>): HealthRules | undefined {
  const { Healthcheck: check } = config;
  const command = commandOf(check, config.Shell);
  if (check === null || command.length === 0) return undefined;
  return {
    command,
    intervalMs: msOr(check.Interval, INTERVAL_MS),
    timeoutMs: msOr(check.Timeout, TIMEOUT_MS),
    startPeriodMs: msOr(check.StartPeriod, 0),
    startIntervalMs: msOr(check.StartInterval, START_INTERVAL_MS),
    retries: check.Retries > 0 ? check.Retries : RETRIES,
  };
}

/**
 * What a change of the container's state makes of its health: each run begins anew, and what is not probed (paused,
 * ended) counts as unhealthy. Pure. Source: moby v28 daemon/health.go, initHealthMonitor; container/health.go.
 */
export function healthAfter(
  health: HealthRecord | undefined,
  change: { readonly before: ContainerState; readonly after: ContainerState },
): HealthRecord | undefined {
  const { before, after } = change;
  if (after.status === 'running' && before.status !== 'running') {
    return { status: 'starting', failingStreak: 0, log: health?.log ?? [] };
  }
  const isProbed = after.status === 'running' && !after.paused;
  const wasProbed = before.status === 'running' && !before.paused;
  return health === undefined || isProbed || !wasProbed ? health : { ...health, status: 'unhealthy' };
}

/** What a probe makes of a container's health. Pure. Source: moby v28 daemon/health.go, handleProbeResult. */
export function healthProbed(
  health: HealthRecord,
  result: ProbeResult,
  { rules, startedAt }: HealthClock,
): HealthRecord {
  const log = [...health.log, result].slice(-HEALTH_LOG_MAX);
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const isStarting = health.status === 'starting' && result.start.getTime() - startedAt.getTime() < rules.startPeriodMs;
  if (isStarting) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= rules.retries ? 'unhealthy' : health.status, failingStreak, log };
}

/** Milliseconds from now to the next probe. Pure. Source: moby v28 daemon/health.go, monitor. */
export function nextProbeMs(status: HealthRecord['status'], { rules, startedAt }: HealthClock, now: Date): number {
  const leftMs = rules.startPeriodMs - (now.getTime() - startedAt.getTime());
  if (leftMs <= 0 || status !== 'starting') return rules.intervalMs;
  // A start interval beyond the start period would put off the first failure that counts.
  return Math.min(rules.startIntervalMs, Math.max(leftMs, rules.intervalMs));
}

/** As inspect shows it. */
export function inspectHealth({ status, failingStreak, log }: HealthRecord): Health {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: formatDate(start),
      End: formatDate(end),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function commandOf(check: Healthcheck | null, shell: ContainerConfig['Shell']): readonly string[] {
  const [kind, ...words] = check?.Test ?? [];
  if (words.length === 0) return [];
  if (kind === 'CMD') return words;
  const chosen = shell === null || shell.length === 0 ? DEFAULT_SHELL : shell;
  return kind === 'CMD-SHELL' ? [...chosen, ...words] : [];
}

function msOr(nanos: number, absent: number): number {
  return nanos === 0 ? absent : nanos / NANOS_PER_MS;
}
