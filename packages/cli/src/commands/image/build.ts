import { type BuildContext, type BuildOptions, TransferFailedError } from '@fairlead/client';
import { parseMemory } from '@fairlead/protocol';
import type { Readable } from 'node:stream';
import { isAbsolute, relative, resolve } from 'node:path';
import { type Command, exactly } from '../../command.ts';
import type { CliContext } from '../../context.ts';
import { EXIT_FAILURE, ExitError } from '../../exit-codes.ts';
import type { FlagSet } from '../../flags/flag-set.ts';
import { list, parsed, text, toggle } from '../../flags/flag-types.ts';
import { labelMap } from '../container/run-values.ts';
import { showProgress } from './show-progress.ts';
import { stdinContext } from './stdin-context.ts';

/** `fairlead build` */
export const buildCommand: Command = {
  name: 'build',
  usage: '[OPTIONS] PATH | -',
  summary: 'Build an image from a Dockerfile',
  args: exactly(1),
  define(flags) {
    const options = buildFlags(flags);
    const quiet = flags.add('quiet,q', 'Suppress the build output and print image ID on success', toggle());
    return async (context, [path = '']) => {
      const client = await context.client();
      const build = client.images.build(contextOf(context, path), {
        ...options(context, path),
        quiet: quiet.value,
      });
      try {
        if (!quiet.value) await showProgress(context, build);
        const { imageId } = await build;
        if (quiet.value) await context.out(`${imageId ?? ''}\n`);
        return 0;
      } catch (error) {
        if (!(error instanceof TransferFailedError)) throw error;
        // The step's own exit code, as Docker's. Source: docker/cli image/build.go.
        throw new ExitError(error.code || EXIT_FAILURE, error.message, { cause: error });
      }
    };
  },
};

/** A directory, or standard input. */
function contextOf(context: CliContext, path: string): BuildContext {
  if (path !== '-') {
    if (/^(https?|git|ssh):\/\//.test(path)) {
      throw new ExitError(EXIT_FAILURE, 'a build from a URL is not supported: download it, and build the directory');
    }
    return path;
  }
  const stdin: Readable = context.terminal.stdin;
  if (context.terminal.stdin.isTTY === true) {
    throw new ExitError(EXIT_FAILURE, 'unable to prepare context: standard input is a terminal, not a tar');
  }
  return stdinContext(stdin);
}

function buildFlags(flags: FlagSet): (context: CliContext, path: string) => BuildOptions {
  const addHosts = flags.add('add-host', 'Add a custom host-to-IP mapping ("host:ip")', list());
  const buildArgs = flags.add('build-arg', 'Set build-time variables', list());
  const cacheFrom = flags.add('cache-from', 'Images to consider as cache sources', list('strings'));
  const file = flags.add('file,f', 'Name of the Dockerfile (Default is "PATH/Dockerfile")', text());
  const forceRm = flags.add('force-rm', 'Always remove intermediate containers', toggle());
  const labels = flags.add('label', 'Set metadata for an image', list());
  const memory = flags.add('memory,m', 'Memory limit', parsed('bytes', parseMemory));
  const network = flags.add(
    'network',
    'Set the networking mode for the RUN instructions during build',
    text('default'),
  );
  const noCache = flags.add('no-cache', 'Do not use cache when building the image', toggle());
  const platform = flags.add('platform', 'Set platform if server is multi-platform capable', text());
  const pull = flags.add('pull', 'Always attempt to pull a newer version of the image', toggle());
  const rm = flags.add('rm', 'Remove intermediate containers after a successful build (default true)', toggle(true));
  const shm = flags.add('shm-size', 'Size of "/dev/shm"', parsed('bytes', parseMemory));
  const tags = flags.add('tag,t', 'Name and optionally a tag in the "name:tag" format', list());
  const target = flags.add('target', 'Set the target build stage to build.', text());
  return ({ env }, path) => ({
    tags: tags.value,
    dockerfile: file.value === '' ? undefined : dockerfileIn(path, file.value),
    buildArgs: Object.fromEntries(buildArgs.value.map((typed) => argumentOf(typed, env))),
    labels: labelMap(labels.value),
    target: target.value,
    platform: platform.value,
    noCache: noCache.value,
    pull: pull.value,
    cacheFrom: cacheFrom.value.length > 0 ? cacheFrom.value : undefined,
    networkMode: network.value,
    extraHosts: addHosts.value,
    memoryBytes: memory.value,
    shmBytes: shm.value,
    removeContainers: rm.value,
    alwaysRemoveContainers: forceRm.value,
  });
}

/** Within the context. @throws ExitError for one outside. */
function dockerfileIn(path: string, typed: string): string {
  if (path === '-') return typed;
  const within = relative(resolve(path), resolve(typed));
  if (within !== '' && !within.startsWith('..') && !isAbsolute(within)) return within;
  throw new ExitError(
    EXIT_FAILURE,
    `unable to prepare context: the Dockerfile (${typed}) must be within the build context`,
  );
}

/** `A=b`, or `A` for our own value of it; null where we have none. */
function argumentOf(typed: string, env: CliContext['env']): readonly [string, string | null] {
  const at = typed.indexOf('=');
  return at === -1 ? [typed, env[typed] ?? null] : [typed.slice(0, at), typed.slice(at + 1)];
}
