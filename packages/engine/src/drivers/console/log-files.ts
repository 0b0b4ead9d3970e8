import { openReadableFile, type ReadableFile } from '../../host/readable-file.ts';

/** The name of a log's `index`-th older file: 0 is the one that is written, 1 the one before it. */
export function logFileName(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}

/** Whether a file of the log's directory belongs to the log; gaps in the numbers, as of a rotation cut short, do not matter. */
export function isLogFileName(log: string, name: string): boolean {
  return name === log || (name.startsWith(`${log}.`) && /^[1-9]\d*$/.test(name.slice(log.length + 1)));
}

/**
 * Opens a log's files, newest first, back to (not including) the one named by `until`; also while they are rotated:
 * a file moves to higher numbers only, as the search does, so none is missed; one that is met twice counts once.
 */
export async function openLogFiles(path: string, until?: string): Promise<readonly ReadableFile[]> {
  await using opened = new AsyncDisposableStack();
  const files: ReadableFile[] = [];
  // A rotation in progress leaves one number unused for a moment, so only two in a row are the end.
  for (let index = 0, missing = 0; missing < 2; index++) {
    const file = await openReadableFile(logFileName(path, index));
    if (file === undefined) {
      missing += 1;
      continue;
    }
    missing = 0;
    opened.use(file);
    if (file.identity === until) {
      await file[Symbol.asyncDispose]();
      break;
    }
    if (files.every(({ identity }) => identity !== file.identity)) files.push(file);
    else await file[Symbol.asyncDispose]();
  }
  opened.move();
  return files;
}
