/** As Go's path.Clean for an absolute path: no `.`, `..`, doubled or trailing slashes; never leaves `/`. */
export function cleanPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') kept.pop();
    else kept.push(part);
  }
  return `/${kept.join('/')}`;
}

/** Whether a path starts at the root. */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}
