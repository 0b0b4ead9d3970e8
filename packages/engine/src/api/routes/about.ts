import type { Operation } from '@fairlead/protocol';
import type { ContainerActor } from '../../core/container/actor.ts';
import type { OperationProgress } from '../../core/operation/progress.ts';
import type { Call } from '../route.ts';

type CallWithOperation = Pick<Call, 'operation'>;

/** Notes which container an operation is about. */
export function aboutContainer(call: CallWithOperation, actor: ContainerActor): void {
  call.operation?.target(containerTarget(actor));
}

/** A container as the ledger names it. */
export function containerTarget({ id, record }: ContainerActor): Operation['Target'] {
  return { Type: 'container', Id: id, Name: record.name };
}

/** Where a verb reports how far it is. */
export function progressOf(call: CallWithOperation): OperationProgress {
  return call.operation ?? UNHEARD;
}

/** For a request that the ledger does not keep. */
const UNHEARD: OperationProgress = { target() {}, grace() {}, bound() {}, phase() {}, stopped() {} };
