import { type Client, RequestFailedError } from '@fairlead/client';
import type { CliContext } from '../../context.ts';
import { EXIT_USAGE, ExitError } from '../../exit-codes.ts';
import { showProgress } from '../image/show-progress.ts';
import type { ContainerRequest } from './run-flags.ts';

const PULL_WORDS: readonly string[] = ['always', 'missing', 'never'];

/**
 * Makes a container, getting its image first where it is missing. Warnings go to standard error.
 *
 * @returns its id. @throws RequestFailedError as the engine refuses, ExitError for an unknown `--pull`.
 */
export async function createContainer(context: CliContext, request: ContainerRequest): Promise<string> {
  if (!PULL_WORDS.includes(request.pull)) {
    throw new ExitError(
      EXIT_USAGE,
      `invalid pull option: '${request.pull}': must be one of "always", "missing" or "never"`,
    );
  }
  const client = await context.client();
  const image = request.body.Image ?? '';
  if (request.pull === 'always') await pull(context, client, image);
  const { Id, Warnings } = await createOrPull(context, client, request);
  for (const warning of Warnings) await context.err(`WARNING: ${warning}`);
  return Id;
}

async function createOrPull(
  context: CliContext,
  client: Client,
  request: ContainerRequest,
): Promise<{ readonly Id: string; readonly Warnings: readonly string[] }> {
  const create = (): ReturnType<Client['containers']['create']> =>
    client.containers.create(request.body, { name: request.name === '' ? undefined : request.name });
  try {
    return await create();
  } catch (error) {
    // Any 404 of a create means the image. Source: docker/cli container/create.go.
    if (!(error instanceof RequestFailedError) || error.kind !== 'not-found' || request.pull === 'never') throw error;
    await context.err(`Unable to find image '${withTag(request.body.Image ?? '')}' locally`);
    await pull(context, client, request.body.Image ?? '');
    return await create();
  }
}

async function pull(context: CliContext, client: Client, image: string): Promise<void> {
  await showProgress(context, client.images.pull(image), 'stderr');
}

function withTag(image: string): string {
  return image.includes('@') || image.lastIndexOf(':') > image.lastIndexOf('/') ? image : `${image}:latest`;
}
