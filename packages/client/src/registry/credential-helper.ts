import { EngineError } from '@fairlead/protocol';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { field } from '../endpoint/docker-config.ts';
import type { Environment } from '../endpoint/environment.ts';
import type { RegistryLogin } from './registry-login.ts';

/** More than this a helper has no reason to say. */
const ANSWER_BYTES_MAX: number = 1024 * 1024;

/** A program `docker-credential-HELPER` on PATH. */
export interface CredentialHelper {
  readonly helper: string;
  readonly env: Environment;
}

/** What a helper says when it has nothing. Source: docker/docker-credential-helpers, credentials/error.go. */
const NOT_FOUND_WORDS = 'credentials not found in native keychain';
/** The user name that stands for a token. Source: docker/cli cli/config/credentials/native_store.go. */
const TOKEN_USERNAME = '<token>';

/** The login for one registry; undefined when it has none. @throws EngineError 'unavailable' with what the program said. */
export async function getCredentials(
  from: CredentialHelper,
  key: string,
  signal: AbortSignal,
): Promise<RegistryLogin | undefined> {
  const { exitCode, output } = await run(from, { action: 'get', input: key }, signal);
  if (exitCode !== 0) {
    if (output.trim() === NOT_FOUND_WORDS) return undefined;
    throw failed(from, `exit status ${exitCode}, out: \`${output.trim()}\``);
  }
  const document = parse(from, output);
  const [username, secret] = [field(document, 'Username'), field(document, 'Secret')];
  if (typeof username !== 'string' || typeof secret !== 'string') throw failed(from, 'no Username and Secret');
  return username === TOKEN_USERNAME ? { identityToken: secret } : { username, password: secret };
}

/** The registries it has logins for. @throws as `getCredentials`. */
export async function listCredentials(from: CredentialHelper, signal: AbortSignal): Promise<readonly string[]> {
  const { exitCode, output } = await run(from, { action: 'list', input: '' }, signal);
  if (exitCode !== 0) throw failed(from, `exit status ${exitCode}, out: \`${output.trim()}\``);
  const document = parse(from, output);
  return typeof document === 'object' && document !== null ? Object.keys(document) : [];
}

/** Lets it keep a login. @throws as `getCredentials`. */
export async function storeCredentials(
  from: CredentialHelper,
  { key, login }: { readonly key: string; readonly login: RegistryLogin },
  signal: AbortSignal,
): Promise<void> {
  const { username = '', password = '', identityToken } = login;
  const named =
    identityToken === undefined
      ? { Username: username, Secret: password }
      : { Username: TOKEN_USERNAME, Secret: identityToken };
  await act(from, { action: 'store', input: JSON.stringify({ ServerURL: key, ...named }) }, signal);
}

/** Lets it forget one; that there is none is no failure. @throws as `getCredentials`. */
export async function eraseCredentials(from: CredentialHelper, key: string, signal: AbortSignal): Promise<void> {
  await act(from, { action: 'erase', input: key }, signal);
}

async function act(
  from: CredentialHelper,
  asked: { readonly action: string; readonly input: string },
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, output } = await run(from, asked, signal);
  if (exitCode === 0 || output.trim() === NOT_FOUND_WORDS) return;
  throw failed(from, `exit status ${exitCode}, out: \`${output.trim()}\``);
}

async function run(
  from: CredentialHelper,
  { action, input }: { readonly action: string; readonly input: string },
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly output: string }> {
  signal.throwIfAborted();
  // The name is a part of a program's name: a slash would make a path of it.
  if (!/^[\w.-]+$/.test(from.helper)) throw failed(from, 'not a name');
  const child = spawn(`docker-credential-${from.helper}`, [action], {
    env: { ...from.env },
    stdio: ['pipe', 'pipe', 'ignore'],
    signal,
  });
  const closed = once(child, 'close').then(([exitCode]: unknown[]) => (typeof exitCode === 'number' ? exitCode : 1));
  const over = closed.catch(() => {});
  // A program that does not read is no failure; how it ended is what counts.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const pieces: AsyncIterable<Uint8Array> = child.stdout;
  try {
    for await (const chunk of pieces) {
      bytes += chunk.byteLength;
      if (bytes > ANSWER_BYTES_MAX) throw failed(from, `more than ${ANSWER_BYTES_MAX} bytes of output`);
      chunks.push(chunk);
    }
    return { exitCode: await closed, output: Buffer.concat(chunks).toString('utf8') };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EngineError) throw error;
    throw failed(from, String(error), error);
  } finally {
    child.kill();
    await over;
  }
}

function parse(from: CredentialHelper, output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    // Without its cause, which would cite the answer.
    throw failed(from, 'its answer is not JSON');
  }
}

/** Never with what a successful answer holds: that is a secret. */
function failed({ helper }: CredentialHelper, why: string, cause?: unknown): EngineError {
  return new EngineError('unavailable', `error with credentials - docker-credential-${helper}: ${why}`, { cause });
}
