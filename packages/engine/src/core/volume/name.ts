import { randomBytes } from 'node:crypto';
import { EngineError } from '@fairlead/protocol';

/** Source: moby daemon/names/names.go, RestrictedNamePattern. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Longest name of a file on every file system of Linux. Source: limits.h, NAME_MAX. */
const NAME_BYTES_MAX = 255;

/**
 * Checks the name of a local volume: it becomes the name of a directory.
 * @throws EngineError 'invalid-argument' `create NAME: …` in Docker's words.
 */
export function checkVolumeName(name: string): void {
  if (name.length === 1) {
    const words = 'volume name is too short, names should be at least two alphanumeric characters';
    throw new EngineError('invalid-argument', `create ${name}: ${words}`);
  }
  if (!NAME.test(name)) {
    const words =
      `"${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ` +
      'If you intended to pass a host directory, use absolute path';
    throw new EngineError('invalid-argument', `create ${name}: ${words}`);
  }
  if (name.length > NAME_BYTES_MAX) {
    throw new EngineError(
      'invalid-argument',
      `create ${name}: volume name is longer than ${NAME_BYTES_MAX} characters`,
    );
  }
}

/** A name for an anonymous volume. */
export function newVolumeName(): string {
  return randomBytes(32).toString('hex');
}
