export { EngineError, isEngineError, type ErrorKind } from '@fairlead/protocol';
export { Client, connect, USER_AGENT, type ConnectOptions, type InProcessEngine } from './client.ts';
export { DEFAULT_CONTEXT } from './endpoint/docker-context.ts';
export {
  contextName,
  DOCKER_SOCKET,
  engineEndpoint,
  FAIRLEAD_SOCKET,
  type EndpointChoice,
} from './endpoint/engine-endpoint.ts';
export type { EngineEndpoint } from './endpoint/endpoint.ts';
export type { Environment } from './endpoint/environment.ts';
export type { CreateBody, CreateOptions } from './deadlines/create-container.ts';
export type { KillOptions, RemoveOptions, StopOptions, StopResult, VerbOptions } from './deadlines/lifecycle.ts';
export type { MonotonicClock } from './deadlines/monotonic-clock.ts';
export type { OperationResult } from './deadlines/operation-result.ts';
export type { OnPhase, PhaseReached } from './deadlines/phases.ts';
export {
  ConflictError,
  ConnectionLostError,
  DeadlineTooShortError,
  EngineOverdueError,
  EngineUnreachableError,
  NotFoundError,
  NotReadyError,
  PendingError,
  ProtocolError,
  RequestFailedError,
  SessionLostError,
  TransferFailedError,
  type PendingOperation,
} from './errors.ts';
export type { AttachOptions, LogOptions, OpenWait, WaitOptions } from './groups/container-streams.ts';
export type { ContainerGroup, ListOptions } from './groups/containers.ts';
export type { Goal, Reached, UntilOptions } from './groups/until.ts';
export { filters } from './filters.ts';
export type { CommitOptions, ContainerArchive, ContainerPath, CopyToOptions } from './groups/container-files.ts';
export type { UpdateRequest } from './groups/container-resources.ts';
export type { ExecOptions, ExecResult, ProgramOptions, SpawnOptions } from './groups/exec.ts';
export type { Listening } from './groups/group.ts';
export type { AuthChoice } from './groups/image-auth.ts';
export type { BuildContext, BuildOptions, BuildResult } from './groups/image-build.ts';
export type { ImportOptions, PullOptions, PushOptions } from './groups/image-transfers.ts';
export type { ImageGroup } from './groups/images.ts';
export type { CreateNetworkRequest, NetworkGroup } from './groups/networks.ts';
export type { OperationGroup } from './groups/operations.ts';
export type { SystemGroup } from './groups/system.ts';
export type { CreateVolumeRequest, VolumeGroup } from './groups/volumes.ts';
export type { EngineTraits } from './negotiate.ts';
export type { RunOptions, RunResult } from './run.ts';
export { COLLECTED_BYTES_MAX, type CollectedOutput } from './streams/collect-output.ts';
export type { EventFeedItem, EventOptions } from './streams/event-feed.ts';
export type { ExecSession } from './streams/exec-session.ts';
export type { ProgramInput } from './streams/feed-input.ts';
export type { OutputChunk } from './streams/output-decoder.ts';
export type { LogLine } from './streams/log-lines.ts';
export type { ProcessSession } from './streams/process-session.ts';
export type { LocalTerminal, PipeEnd, PipeOptions, TerminalSize } from './streams/terminal.ts';
export { writeAll } from './streams/write-all.ts';
export { parseAddress, type Address, type SshAddress } from './transport/address.ts';
export type { SshOptions } from './transport/ssh.ts';
export type { TlsSettings } from './transport/tls.ts';
export { transportTo, type WayOptions } from './transport/transport-to.ts';
export type { Transport } from './transport/transport.ts';
export { DOCKER_HUB, type RegistryLogin } from './registry/registry-login.ts';
export { cpuPercent, memoryUsed, summarizeStats, type StatsSummary } from './stats-summary.ts';
export type { ByteStream } from './streams/byte-stream.ts';
export type { TransferProgress } from './transfer/progress-meter.ts';
export type { Transfer } from './transfer/transfer.ts';
