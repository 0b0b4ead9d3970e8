import { appendFileSync, existsSync } from 'node:fs';
import { constants } from 'node:os';
import { getSystemErrorMessage } from 'node:util';
import { EngineError, isEngineError } from '@fairlead/protocol';
import { parseFaultPlan, type Checkpoint, type FaultAction, type FaultPlan } from '../lib/fault-plan.ts';
import type { Log } from '../lib/log.ts';

/** For tests: a plan of failures for this process, see {@link parseFaultPlan}. */
export const FAULTS_VARIABLE = 'FAIRLEAD_FAULTS';

const errnoNumbers: Readonly<Record<string, number>> = constants.errno;

/** Read once, when the engine's code is loaded: without the variable a checkpoint costs one comparison. */
const faults = readPlan(process.env[FAULTS_VARIABLE]);

/**
 * Makes a call to the world outside, unless the fault plan of this process says otherwise.
 * @throws what the plan says, as an errno error; else what the call throws.
 */
export function atCheckpoint<T>(checkpoint: Checkpoint, call: () => T): T {
  return faults === undefined ? call() : faulty(faults, checkpoint, call);
}

/**
 * Says loudly that calls are made to fail, if they are.
 * @throws EngineError 'invalid-argument' when the plan cannot be understood.
 */
export function reportFaultPlan(log: Log): void {
  if (faults === undefined) return;
  if (isEngineError(faults)) throw faults;
  log.warning('engine.faults.planned', { plan: process.env[FAULTS_VARIABLE], variable: FAULTS_VARIABLE });
}

function readPlan(text: string | undefined): FaultPlan | EngineError | undefined {
  if (text === undefined) return undefined;
  try {
    return parseFaultPlan(text);
  } catch (error) {
    // Thrown when an engine is opened, which has somebody to tell it to.
    if (isEngineError(error)) return error;
    throw error;
  }
}

function faulty<T>(plan: FaultPlan | EngineError, checkpoint: Checkpoint, call: () => T): T {
  if (isEngineError(plan) || (plan.when !== undefined && !existsSync(plan.when))) return call();
  if (plan.trace !== undefined) appendFileSync(plan.trace, `${checkpoint}\n`);
  const fault = plan.pass(checkpoint);
  before(fault, checkpoint);
  const result = call();
  if (fault.action !== 'crash-after') return result;
  // Registered first, so it comes before whatever the caller does with the result.
  if (result instanceof Promise) void result.then(crash, crash);
  else crash();
  return result;
}

function before(fault: FaultAction, checkpoint: Checkpoint): void {
  if (fault.action === 'crash') crash();
  if (fault.action !== 'error') return;
  const errno = -(errnoNumbers[fault.code] ?? 0);
  const words = `${fault.code}: ${getSystemErrorMessage(errno)}, ${checkpoint} (as planned)`;
  throw Object.assign(new Error(words), { code: fault.code, errno, syscall: checkpoint });
}

/** As a power cut would: nothing is written any more, nothing is put right. */
function crash(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is for this very process: the kernel delivers it before the call returns.
  throw new EngineError('internal', 'still alive after SIGKILL');
}
