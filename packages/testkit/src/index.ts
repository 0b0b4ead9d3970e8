export { BUSYBOX_PATH, busyboxImage } from './busybox-image.ts';
export { FaultProxy, type FlowDirection, type ProxyTarget } from './fault-proxy.ts';
export { makeCertificates, type Certificates } from './certificates.ts';
export {
  configDocument,
  dockerArchive,
  GO_ARCHITECTURES,
  legacyDockerArchive,
  ociArchive,
  sketchId,
  type ImageSketch,
} from './image-archive.ts';
export { LAYER_TIME, layerTar, type LayerEntry } from './layer-tar.ts';
export { webSocketClientFrame } from './web-socket-frame.ts';
