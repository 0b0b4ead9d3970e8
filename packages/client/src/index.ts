export { Client, connect, DOCKER_SOCKET, FAIRLEAD_SOCKET, USER_AGENT, type ConnectOptions } from './client.ts';
export type { KillOptions, RestartOptions } from './deadlines/kill-restart.ts';
export type { StopOptions, StopResult } from './deadlines/stop-container.ts';
export {
  ConnectionLostError,
  DeadlineTooShortError,
  EngineOverdueError,
  EngineUnreachableError,
  PendingError,
  ProtocolError,
  RequestFailedError,
  SessionLostError,
  type PendingOperation,
} from './errors.ts';
export type {
  AttachOptions,
  ContainerGroup,
  CreateBody,
  CreateOptions,
  ListOptions,
  LogOptions,
  OpenWait,
  WaitOptions,
} from './groups/containers.ts';
export type { ExecOptions, ExecResult, ProgramOptions, SpawnOptions } from './groups/exec.ts';
export type { Listening } from './groups/group.ts';
export type { ImageGroup } from './groups/images.ts';
export type { OperationGroup } from './groups/operations.ts';
export type { SystemGroup } from './groups/system.ts';
export type { EngineTraits } from './negotiate.ts';
export type { RunOptions, RunResult } from './run.ts';
export { COLLECTED_BYTES_MAX, type CollectedOutput } from './streams/collect-output.ts';
export type { EventFeedItem, EventOptions } from './streams/event-feed.ts';
export type { ExecSession } from './streams/exec-session.ts';
export type { ProgramInput } from './streams/feed-input.ts';
export type { OutputChunk } from './streams/output-decoder.ts';
export type { LogLine } from './streams/log-lines.ts';
export type { ProcessSession } from './streams/process-session.ts';
export { writeAll, type LocalTerminal, type PipeEnd, type PipeOptions, type TerminalSize } from './streams/terminal.ts';
export { parseAddress, transportTo, type Address } from './transport/address.ts';
export type { Transport } from './transport/transport.ts';
