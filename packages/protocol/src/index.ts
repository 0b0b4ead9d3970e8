export { BODY_SCHEMAS, type BodySchemas } from './body-schemas.ts';
export {
  Budget,
  boundMs,
  hopReserveMs,
  waitForBoundMs,
  DOCKER_ALLOWANCES,
  HOP_RESERVE_MS,
  HOP_RESERVE_SHARE,
  KILL_CONFIRM_DOCKER_MS,
  STOP_GRACE_DEFAULT_MS,
  type Allowances,
} from './budget.ts';
export { decodeBody, parseJson, JSON_BODY_BYTES_MAX, JSON_DEPTH_MAX } from './codec/go-json.ts';
export type { EmptyObject, StringMap, WireInput, WireSchema } from './codec/go-schema.ts';
export {
  decodeQuery,
  encodeQuery,
  type NoQuery,
  type QueryShape,
  type QueryValues,
  type ShapeOf,
} from './codec/query.ts';
export { atoi, type Scalar } from './codec/scalars.ts';
export { formatGoDuration, humanDuration, parseGoDuration } from './duration.ts';
export {
  bytesBody,
  fillPath,
  jsonBody,
  noBody,
  type BodyInputOf,
  type BodyOf,
  type BytesBody,
  type BytesResponse,
  type EmptyResponse,
  type Endpoint,
  type HijackResponse,
  type JsonBody,
  type JsonResponse,
  type JsonStreamResponse,
  type Method,
  type NoBody,
  type OperationVerb,
  type QueryOf,
  type RequestBody,
  type ResponseBody,
  type ResponseOf,
  type TextResponse,
  type WebSocketResponse,
} from './endpoint.ts';
export { endpointOf, type FoundEndpoint } from './endpoint-of.ts';
export { buildEndpoints, type BuildEndpoints, type BuildImageQuery } from './endpoints/build.ts';
export {
  containerEndpoints,
  type CreateContainerQuery,
  type ListContainersQuery,
  type StopContainerQuery,
  type KillContainerQuery,
  type WaitContainerQuery,
  type RenameContainerQuery,
  type RemoveContainerQuery,
  type AttachContainerQuery,
  type ContainerLogsQuery,
  type ResizeQuery,
  type TopContainerQuery,
  type InspectContainerQuery,
  type ContainerEndpoints,
} from './endpoints/containers.ts';
export {
  containerFileEndpoints,
  type CommitContainerQuery,
  type CommitContainerResponse,
  type ContainerFileEndpoints,
  type ContainerPathQuery,
  type PutArchiveQuery,
} from './endpoints/container-files.ts';
export { execEndpoints, type ExecEndpoints } from './endpoints/exec.ts';
export {
  fairleadEndpoints,
  type FollowOperationsQuery,
  type ListOperationsQuery,
  type FairleadEndpoints,
} from './endpoints/fairlead.ts';
export {
  imageEndpoints,
  type LoadImagesQuery,
  type CreateImageQuery,
  type ListImagesQuery,
  type TagImageQuery,
  type RemoveImageQuery,
  type PushImageQuery,
  type SaveImagesQuery,
  type SearchImagesQuery,
  type ImageEndpoints,
} from './endpoints/images.ts';
export { networkEndpoints, type NetworkEndpoints } from './endpoints/networks.ts';
export { volumeEndpoints, type VolumeEndpoints } from './endpoints/volumes.ts';
export { pruneEndpoints, type PruneEndpoints, type PruneQuery } from './endpoints/prune.ts';
export { registryEndpoints, type RegistryEndpoints } from './endpoints/registry.ts';
export { resourceEndpoints, type ContainerStatsQuery, type ResourceEndpoints } from './endpoints/resources.ts';
export { systemEndpoints, type DiskUsageQuery, type EventsQuery, type SystemEndpoints } from './endpoints/system.ts';
export { EngineError, isEngineError, STATUS_BY_KIND, type EngineErrorOptions, type ErrorKind } from './errors.ts';
export {
  assertFilterKeys,
  booleanFilter,
  encodeFilters,
  matchesLabels,
  NO_FILTERS,
  parseFilters,
  type Filters,
} from './filters.ts';
export {
  BUDGET_HEADER,
  BUDGET_MS_MAX,
  encodeBudget,
  encodeOutcome,
  OPERATION_HEADER,
  OUTCOME_HEADER,
  parseBudget,
  parseOperationId,
  parseOutcome,
  WARNING_HEADER,
  type StopEvidence,
} from './headers.ts';
export {
  containerId,
  execId,
  imageId,
  isContainerId,
  isExecId,
  isImageId,
  shortId,
  type ContainerId,
  type ContainerRef,
  type ExecId,
  type ImageId,
} from './ids.ts';
export {
  containerConfigSchema,
  inspectedConfig,
  type Healthcheck,
  type ContainerConfig,
  type ContainerConfigInput,
} from './models/container-config.ts';
export type * from './models/container-inspect.ts';
export type * from './models/container-stats.ts';
export type { ContainerChange } from './models/container-change.ts';
export {
  PATH_STAT_HEADER,
  decodePathStat,
  encodePathStat,
  type ContainerPathStat,
} from './models/container-path-stat.ts';
export type { PortSummary, ContainerSummary } from './models/container-summary.ts';
export {
  createContainerBodySchema,
  configOf,
  type CreateContainerBody,
  type CreateContainerBodyInput,
  type CreateContainerResponse,
} from './models/create-container-body.ts';
export { deviceMappingSchema, deviceRequestSchema, type DeviceMapping, type DeviceRequest } from './models/device.ts';
export type { DiskUsage } from './models/disk-usage.ts';
export type { ErrorResponse } from './models/error-response.ts';
export type { EventType, EventMessage } from './models/event-message.ts';
export {
  execConfigSchema,
  execStartSchema,
  type ExecConfig,
  type ExecStart,
  type ExecCreateResponse,
} from './models/exec-config.ts';
export type { ExecInspect } from './models/exec-inspect.ts';
export {
  SHM_SIZE_DEFAULT_BYTES,
  resourcesSchema,
  hostConfigSchema,
  inspectedHostConfig,
  type LogConfig,
  type RestartPolicy,
  type Ulimit,
  type WeightDevice,
  type ThrottleDevice,
  type ConsoleSize,
  type Resources,
  type HostConfig,
  type HostConfigInput,
} from './models/host-config.ts';
export type { ImageInspect } from './models/image-inspect.ts';
export type { ImageSummary, ImageHistoryEntry, ImageDeleted } from './models/image-summary.ts';
export { mountSchema, type BindOptions, type VolumeOptions, type TmpfsOptions, type Mount } from './models/mount.ts';
export {
  endpointRequestSchema,
  networkingConfigSchema,
  type EndpointIpamConfig,
  type EndpointRequest,
  type NetworkingConfig,
} from './models/networking-config.ts';
export {
  operationSchema,
  type OperationPhase,
  type StopOutcome,
  type OperationCaller,
  type OperationOutcome,
  type Operation,
} from './models/operation.ts';
export {
  portBindingSchema,
  portMapSchema,
  keySetSchema,
  type PortBinding,
  type PortMap,
  type KeySet,
} from './models/port-map.ts';
export type { ProgressMessage } from './models/progress-message.ts';
export type * from './models/prune-reports.ts';
export type * from './models/registry.ts';
export type { Commit, SystemInfo } from './models/system-info.ts';
export type { TopResponse } from './models/top-response.ts';
export {
  updateContainerBodySchema,
  type UpdateContainerBody,
  type UpdateContainerBodyInput,
  type UpdateContainerResponse,
} from './models/update-container-body.ts';
export type { VersionComponent, VersionInfo } from './models/version-info.ts';
export type * from './models/network.ts';
export type { CreateVolumeBody, Volume, VolumeList, VolumePruneReport } from './models/volume.ts';
export type { WaitCondition, WaitResponse } from './models/wait-response.ts';
export {
  canonicalReference,
  DEFAULT_DOMAIN,
  DEFAULT_TAG,
  familiarName,
  familiarReference,
  mayBeImageId,
  normalizeReference,
  parseReference,
  REPOSITORY_NAME_CHARS_MAX,
  toFamiliar,
  withDefaultTag,
  type Reference,
} from './reference.ts';
export {
  assertSupportedSignal,
  DEFAULT_STOP_SIGNAL,
  exitCodeOfSignal,
  parseSignal,
  SIGNAL_MAX,
  SIGNAL_NUMBERS,
  signalNameOf,
} from './signals.ts';
export {
  DEFAULT_DETACH_KEYS,
  DetachKeyMatcher,
  DETACH_KEYS_MAX,
  parseDetachKeys,
  type DetachMatch,
} from './streams/detach-keys.ts';
export { encodeJsonLine, JSON_LINE_CHARS_MAX, JsonLineDecoder } from './streams/json-lines.ts';
export {
  encodeFrame,
  encodeFrameHeader,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FrameDecoder,
  type FrameChunk,
  type FrameDecoderOptions,
  type FrameStream,
} from './streams/stream-frame.ts';
export {
  dateFromNanos,
  formatDate,
  formatLogTimestamp,
  formatTimestamp,
  nanosFromDate,
  NANOS_PER_MS,
  NANOS_PER_SECOND,
  parseTimestamp,
  ZERO_TIME,
  type UnixNanos,
} from './timestamp.ts';
export { humanMemory, humanSize, parseHumanSize, parseMemory } from './units.ts';
export {
  acceptVersion,
  API_VERSION,
  ASSUMED_API_VERSION,
  compareVersions,
  MIN_API_VERSION,
  negotiateVersion,
  splitVersionPrefix,
  versionAtLeast,
  type ApiVersion,
  type VersionedPath,
} from './version.ts';
