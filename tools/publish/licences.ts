/** The licences of what others wrote and a bundle contains: they ask to be passed on. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One text with the licence of every npm package among `inputs` (paths of a bundle's sources); empty when there is none. */
export function licencesOf(root: string, inputs: readonly string[]): string {
  const names = inputs.flatMap((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)]
    .sort()
    .map((name) => `${name}\n${'='.repeat(name.length)}\n\n${licenceOf(join(root, 'node_modules', name))}\n`)
    .join('\n');
}

function licenceOf(folder: string): string {
  const [file] = globSync('{LICENSE,LICENCE,license,COPYING}*', { cwd: folder });
  if (file !== undefined) return readFileSync(join(folder, file), 'utf8').trimEnd();
  const { license = '' } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { license?: string };
  if (license === '') throw new Error(`${folder} is part of what is published and names no licence`);
  return `Licence: ${license}`;
}
