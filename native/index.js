import { createRequire } from 'node:module';

const addon = load();

function load() {
  try {
    return createRequire(import.meta.url)('./build/Release/fairlead_native.node');
  } catch (cause) {
    throw new Error('The native addon is not built, or for another machine: run "npm run build -w native"', { cause });
  }
}

export const READABLE = 1;
export const WRITABLE = 2;
export const STOPPED = 16;
export const {
  Poll,
  acceptConnection,
  closeDescriptor,
  connectSeqpacket,
  connectStream,
  getAttribute,
  getWindowSize,
  listAttributeNames,
  listenSeqpacket,
  listenStream,
  lockDescriptor,
  makeDirectories,
  makeNode,
  mount,
  openInRoot,
  openMemoryFile,
  openPipe,
  openReadOnly,
  openTerminal,
  openView,
  peerCredentials,
  pidfdOpen,
  pidfdSendSignal,
  readDescriptor,
  readSmallFile,
  reapProcess,
  receiveDescriptor,
  receivePacket,
  removePaths,
  removeTreePart,
  sendDescriptor,
  sendPacket,
  setAttribute,
  setNonBlocking,
  setPipeSize,
  setWindowSize,
  shutdownWrite,
  spawnProcess,
  umount2,
  writeDescriptor,
  writeSmallFile,
} = addon;
