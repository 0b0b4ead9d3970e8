import { EngineError, parseGoDuration } from '@fairlead/protocol';
import { expandVariables, splitWords } from './dockerfile-words.ts';
import type { ImageHealthcheck, ImageRuntimeConfig } from './record.ts';

/** Dockerfile lines of one import. */
export const CHANGES_MAX = 1_000;

type Change = (config: ImageRuntimeConfig, args: string) => ImageRuntimeConfig;

/**
 * Applies Dockerfile lines (`CMD ["sh"]`, `ENV A=b`, …) to a config, in order.
 * @throws EngineError 'invalid-argument' in Docker's words. Source: moby, builder/dockerfile/builder.go, BuildFromConfig.
 */
export function applyChanges(config: ImageRuntimeConfig, changes: readonly string[]): ImageRuntimeConfig {
  const lines = changes.flatMap((change) => change.split('\n')).map((line) => line.trim());
  const instructions = lines.filter((line) => line !== '' && !line.startsWith('#'));
  if (instructions.length > CHANGES_MAX) throw new EngineError('too-large', `more than ${CHANGES_MAX} changes`);
  const parsed = instructions.map((line) => parseInstruction(line));
  // An ENTRYPOINT makes the command it was not written for void. Source: moby, builder/dockerfile/dispatchers.go, cmdSet.
  const words = new Set(instructions.map((line) => wordOf(line)));
  const { Cmd: _void, ...withoutCommand } = config;
  const start = words.has('entrypoint') && !words.has('cmd') ? withoutCommand : config;
  return parsed.reduce((current, { change, args }) => change(current, args), start);
}

function wordOf(line: string): string {
  return (/^\S+/.exec(line)?.[0] ?? '').toLowerCase();
}

function parseInstruction(line: string): { readonly change: Change; readonly args: string } {
  const word = /^\S+/.exec(line)?.[0] ?? '';
  const change = CHANGES.get(word.toLowerCase());
  if (change === undefined)
    throw new EngineError('invalid-argument', `${word.toLowerCase()} is not a valid change command`);
  const args = line.slice(word.length).trim();
  if (args === '') throw new EngineError('invalid-argument', `${word.toUpperCase()} requires at least one argument`);
  return { change, args };
}

const CHANGES: ReadonlyMap<string, Change> = new Map<string, Change>([
  ['cmd', (config, args) => ({ ...config, Cmd: command(config, args) })],
  ['entrypoint', (config, args) => ({ ...config, Entrypoint: command(config, args) })],
  ['env', (config, args) => ({ ...config, Env: pairs('ENV', config, args).reduce(setVariable, config.Env ?? []) })],
  ['expose', expose],
  ['healthcheck', (config, args) => ({ ...config, Healthcheck: healthcheck(args) })],
  [
    'label',
    (config, args) => ({
      ...config,
      Labels: { ...config.Labels, ...Object.fromEntries(pairs('LABEL', config, args)) },
    }),
  ],
  ['onbuild', onbuild],
  ['stopsignal', (config, args) => ({ ...config, StopSignal: single('STOPSIGNAL', config, args) })],
  ['user', (config, args) => ({ ...config, User: single('USER', config, args) })],
  ['volume', volume],
  [
    'workdir',
    (config, args) => ({ ...config, WorkingDir: joinPath(config.WorkingDir ?? '/', single('WORKDIR', config, args)) }),
  ],
]);

/** JSON form as it is, else a line for the shell. */
function command(config: ImageRuntimeConfig, args: string): readonly string[] {
  return jsonForm(args) ?? [...(config.Shell ?? ['/bin/sh', '-c']), args];
}

function jsonForm(args: string): readonly string[] | undefined {
  if (!args.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(args);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
  } catch {
    // Not JSON: the Dockerfile's rule is that it is a line for the shell then.
    return undefined;
  }
}

function words(config: ImageRuntimeConfig, args: string): readonly string[] {
  return splitWords(args).map((word) => expandVariables(word, config.Env ?? []));
}

function single(instruction: string, config: ImageRuntimeConfig, args: string): string {
  const [word, ...more] = words(config, args);
  if (word !== undefined && more.length === 0) return word;
  throw new EngineError('invalid-argument', `${instruction} requires exactly one argument`);
}

/** `A=b C="d e"`, or the old form `A b c`: one name, the rest its value. */
function pairs(instruction: string, config: ImageRuntimeConfig, args: string): readonly (readonly [string, string])[] {
  const first = /^\S+/.exec(args)?.[0] ?? '';
  const terms = first.includes('=')
    ? words(config, args)
    : [`${first}=${expandVariables(args.slice(first.length).trim(), config.Env ?? [])}`];
  if (!first.includes('=') && first.length === args.length) {
    throw new EngineError('invalid-argument', `${instruction} must have two arguments`);
  }
  return terms.map((term) => {
    const equals = term.indexOf('=');
    if (equals > 0) return [term.slice(0, equals), term.slice(equals + 1)] as const;
    const problem =
      equals === 0
        ? `${instruction} names can not be blank`
        : `Syntax error - can't find = in ${JSON.stringify(term)}. Must be of the form: name=value`;
    throw new EngineError('invalid-argument', problem);
  });
}

function setVariable(env: readonly string[], [name, value]: readonly [string, string]): readonly string[] {
  const entry = `${name}=${value}`;
  const at = env.findIndex((other) => other.startsWith(`${name}=`));
  return at < 0 ? [...env, entry] : env.with(at, entry);
}

function expose(config: ImageRuntimeConfig, args: string): ImageRuntimeConfig {
  const ports = words(config, args).flatMap(portsOf);
  return {
    ...config,
    ExposedPorts: { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) },
  };
}

/** `80`, `53/udp`, `8000-8002/tcp`. */
function portsOf(text: string): readonly string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? from);
  if (match === null || to < from || to > 65_535)
    throw new EngineError('invalid-argument', `invalid containerPort: ${text}`);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${(match[3] ?? 'tcp').toLowerCase()}`);
}

function volume(config: ImageRuntimeConfig, args: string): ImageRuntimeConfig {
  const paths = jsonForm(args)?.map((path) => expandVariables(path, config.Env ?? [])) ?? words(config, args);
  if (paths.some((path) => path.trim() === ''))
    throw new EngineError('invalid-argument', 'VOLUME specified can not be an empty string');
  return { ...config, Volumes: { ...config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) } };
}

function onbuild(config: ImageRuntimeConfig, args: string): ImageRuntimeConfig {
  const trigger = (/^\S+/.exec(args)?.[0] ?? '').toUpperCase();
  if (trigger === 'ONBUILD')
    throw new EngineError('invalid-argument', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === 'MAINTAINER' || trigger === 'FROM') {
    throw new EngineError('invalid-argument', `${trigger} isn't allowed as an ONBUILD trigger`);
  }
  return { ...config, OnBuild: [...(config.OnBuild ?? []), args] };
}

const HEALTH_OPTION = /^--(interval|timeout|start-period|start-interval|retries)=(\S+)\s*/;
const NANOS_PER_MS = 1_000_000;

type HealthOptions = Omit<ImageHealthcheck, 'Test'>;

const HEALTH_OPTIONS: ReadonlyMap<string, (value: string) => HealthOptions> = new Map<
  string,
  (value: string) => HealthOptions
>([
  ['interval', (value) => ({ Interval: nanosOf(value) })],
  ['timeout', (value) => ({ Timeout: nanosOf(value) })],
  ['start-period', (value) => ({ StartPeriod: nanosOf(value) })],
  ['start-interval', (value) => ({ StartInterval: nanosOf(value) })],
  ['retries', (value) => ({ Retries: retriesOf(value) })],
]);

function healthcheck(args: string): ImageHealthcheck {
  let rest = args;
  let options: HealthOptions = {};
  for (let match = HEALTH_OPTION.exec(rest); match !== null; match = HEALTH_OPTION.exec(rest)) {
    options = { ...options, ...HEALTH_OPTIONS.get(match[1] ?? '')?.(match[2] ?? '') };
    rest = rest.slice(match[0].length);
  }
  const kind = /^\S*/.exec(rest)?.[0] ?? '';
  const argument = rest.slice(kind.length).trim();
  if (kind.toUpperCase() === 'NONE' && argument === '') return { Test: ['NONE'] };
  if (kind.toUpperCase() !== 'CMD') {
    throw new EngineError('invalid-argument', `Unknown type ${JSON.stringify(kind)} in HEALTHCHECK (try CMD)`);
  }
  if (argument === '') throw new EngineError('invalid-argument', 'Missing command after HEALTHCHECK CMD');
  const list = jsonForm(argument);
  return { Test: list === undefined ? ['CMD-SHELL', argument] : ['CMD', ...list], ...options };
}

function retriesOf(text: string): number {
  const retries = Number(text);
  if (/^[0-9]+$/.test(text) && Number.isSafeInteger(retries)) return retries;
  throw new EngineError(
    'invalid-argument',
    `--retries must be a whole number of at least 0, not ${JSON.stringify(text)}`,
  );
}

function nanosOf(duration: string): number {
  const ms = parseGoDuration(duration);
  if (ms !== 0 && ms < 1)
    throw new EngineError('invalid-argument', `Interval ${JSON.stringify(duration)} cannot be less than 1ms`);
  return ms * NANOS_PER_MS;
}

function joinPath(from: string, path: string): string {
  const kept: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${from}/${path}`).split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '' && part !== '.') kept.push(part);
  }
  return `/${kept.join('/')}`;
}
