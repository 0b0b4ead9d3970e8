export { bytePath, bytePathOf, pathBytes, pathParts, shownPath, type BytePath } from './tar/byte-path.ts';
export { decodeTar, type TarEntryRead } from './tar/decode-tar.ts';
export { encodeTar, type TarFile } from './tar/encode-tar.ts';
export { TAR_BLOCK_BYTES, type TarRecord, type TarRecordType } from './tar/tar-record.ts';
