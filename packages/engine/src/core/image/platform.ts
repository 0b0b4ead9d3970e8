import { EngineError } from '@fairlead/protocol';
import type { ImagePlatform } from './deps.ts';

/** Other names of architectures. Source: containerd platforms, normalizeArch. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  i386: '386',
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  armhf: 'arm',
  armel: 'arm',
};
const KNOWN_SYSTEMS: readonly string[] = ['linux', 'windows', 'darwin', 'macos', 'freebsd'];
const KNOWN_ARCHITECTURES: readonly string[] = [
  ...['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips', 'mipsle', 'mips64', 'mips64le'],
  ...['ppc64', 'ppc64le', 'riscv64', 's390x', 'wasm'],
];

/**
 * Reads `OS`, `ARCH`, `OS/ARCH` or `OS/ARCH/VARIANT`; what is left out is the host's.
 * @throws EngineError 'invalid-argument' in Docker's words. Source: containerd platforms, Parse.
 */
export function parsePlatform(text: string, host: Pick<ImagePlatform, 'os' | 'architecture'>): ImagePlatform {
  const parts = text.toLowerCase().split('/');
  const bad = parts.find((part) => !/^[a-z0-9_-]+$/.test(part));
  if (bad !== undefined) {
    const words = `${JSON.stringify(bad)} is an invalid component of ${JSON.stringify(text)}`;
    throw new EngineError('invalid-argument', words);
  }
  if (parts.length > 3) {
    throw new EngineError('invalid-argument', `${JSON.stringify(text)}: cannot parse platform specifier`);
  }
  const [first = '', second, variant = ''] = parts;
  if (second !== undefined) return { os: first, architecture: architectureOf(second), variant };
  if (KNOWN_SYSTEMS.includes(first)) return { os: first, architecture: host.architecture, variant };
  if (KNOWN_ARCHITECTURES.includes(architectureOf(first))) {
    return { os: host.os, architecture: architectureOf(first), variant };
  }
  throw new EngineError('invalid-argument', `${JSON.stringify(text)}: unknown operating system or architecture`);
}

/** True when an image can be taken for one of that platform. Its variant is not looked at: most images do not say it. */
export function isOfPlatform(image: Pick<ImagePlatform, 'os' | 'architecture'>, wanted: ImagePlatform): boolean {
  return (image.os || 'linux') === wanted.os && architectureOf(image.architecture) === wanted.architecture;
}

/** `linux/arm64`. */
export function formatPlatform({ os, architecture, variant = '' }: Partial<ImagePlatform>): string {
  return [os || 'linux', architecture || 'unknown', variant].filter((part) => part !== '').join('/');
}

function architectureOf(name: string): string {
  return ARCHITECTURES[name] ?? name;
}
