import { EngineError, type Healthcheck } from '@fairlead/protocol';

/** Shorter durations are refused, 0 takes the default. Source: moby api/types/container/config.go, MinimumDuration. */
const DURATION_NANOS_MIN = 1_000_000;

/** @throws EngineError 'invalid-argument' in Docker's words. Source: moby v28 daemon/container.go, validateHealthCheck. */
export function checkHealthcheck(check: Healthcheck | null): void {
  if (check === null) return;
  for (const key of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    if (check[key] === 0 || check[key] >= DURATION_NANOS_MIN) continue;
    throw new EngineError('invalid-argument', `${key} in Healthcheck cannot be less than 1ms`);
  }
  if (check.Retries < 0) throw new EngineError('invalid-argument', 'Retries in Healthcheck cannot be negative');
}
