export { packBuildContext } from './files/build-context.ts';
export { packTree, type PackOptions } from './files/pack-tree.ts';
export { unpackTree, type UnpackOptions } from './files/unpack-tree.ts';
