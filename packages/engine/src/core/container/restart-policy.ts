export type RestartPolicyName = '' | 'no' | 'always' | 'unless-stopped' | 'on-failure';

export interface RestartPolicy {
  readonly name: RestartPolicyName;
  /** For `on-failure`: how many automatic restarts at most; 0 is without limit. */
  readonly maximumRetryCount: number;
}

export interface EndOfRun {
  readonly exitCode: number;
  readonly ranMs: number;
  readonly restartCount: number;
  /** The pause before the last automatic restart; 0 before the first. */
  readonly delayMs: number;
  readonly manuallyStopped: boolean;
  readonly cancelled: boolean;
}

export type RestartDecision = { readonly restart: false } | { readonly restart: true; readonly delayMs: number };

/** Source: moby restartmanager, defaultTimeout; engine-api 2.3. */
export const RESTART_DELAY_MIN_MS: number = 100;
/** Source: moby restartmanager, maxRestartTimeout; engine-api 2.3. */
export const RESTART_DELAY_MAX_MS: number = 60_000;
/** A run of this length was healthy: the next pause starts from the minimum again. Source: engine-api 2.3. */
const HEALTHY_RUN_MS = 10_000;

/** Whether the engine knows a policy of this name; empty is `no`. */
export function isRestartPolicyName(text: string): text is RestartPolicyName {
  return ['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(text);
}

/** Decides whether a container that has just exited runs again, and after which pause. Source: engine-api 3.6. */
export function shouldRestart(policy: RestartPolicy, end: EndOfRun): RestartDecision {
  if (end.cancelled || !wanted(policy, end)) return { restart: false };
  const fresh = end.delayMs === 0 || end.ranMs >= HEALTHY_RUN_MS;
  return { restart: true, delayMs: fresh ? RESTART_DELAY_MIN_MS : Math.min(end.delayMs * 2, RESTART_DELAY_MAX_MS) };
}

/** Whether a container that was started before runs again when the engine starts. Source: engine-api 2.3. */
export function restartsWithEngine(
  policy: RestartPolicy,
  end: { readonly exitCode: number; readonly manuallyStopped: boolean },
): boolean {
  switch (policy.name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !end.manuallyStopped;
    case 'on-failure':
      return end.exitCode !== 0;
    case 'no':
    case '':
      return false;
    default:
      return policy.name satisfies never;
  }
}

function wanted(policy: RestartPolicy, end: EndOfRun): boolean {
  switch (policy.name) {
    case 'always':
      return true;
    case 'unless-stopped':
      return !end.manuallyStopped;
    case 'on-failure':
      return end.exitCode !== 0 && (policy.maximumRetryCount === 0 || end.restartCount < policy.maximumRetryCount);
    case 'no':
    case '':
      return false;
    default:
      return policy.name satisfies never;
  }
}
