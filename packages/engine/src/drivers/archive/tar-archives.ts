import type { ArchiveReader } from '../../core/ports/archive-reader.ts';
import { decompress } from '../../host/decompress.ts';
import { readTar } from '../../host/tar.ts';

/** Tar by npm's tar-stream, compressions by Node's zlib and the host's programs. */
export const tarArchives: ArchiveReader = { decompress, entries: readTar };
