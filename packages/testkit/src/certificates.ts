import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Directories as `DOCKER_CERT_PATH` names them: `ca.pem`, `cert.pem`, `key.pem`. */
export interface Certificates {
  /** For an engine: for `127.0.0.1`, `localhost`, and further addresses that were asked for. */
  readonly server: string;
  /** For a client that this engine takes. */
  readonly client: string;
  /** For a client of another authority: neither side takes the other. */
  readonly stranger: string;
  /** Signed by the same authority, for an engine named `elsewhere`, which is also its common name. */
  readonly elsewhere: string;
  /** The same, with nothing but a common name: `localhost`. */
  readonly nameless: string;
}

/** Makes authorities and certificates below a directory, valid for a day; `addresses` are further ones of the server. Uses `openssl`. */
export async function makeCertificates(directory: string, addresses: readonly string[] = []): Promise<Certificates> {
  const [ours, theirs] = await Promise.all([authority(directory, 'ours'), authority(directory, 'theirs')]);
  const named = `subjectAltName=${['127.0.0.1', ...addresses].map((address) => `IP:${address}`).join()},DNS:localhost`;
  const [server, client, stranger, elsewhere, nameless] = await Promise.all([
    certificate(ours, 'server', ['/CN=engine', named]),
    certificate(ours, 'client', ['/CN=client', 'extendedKeyUsage=clientAuth']),
    certificate(theirs, 'stranger', ['/CN=client', 'extendedKeyUsage=clientAuth']),
    certificate(ours, 'elsewhere', ['/CN=elsewhere', 'subjectAltName=DNS:elsewhere']),
    certificate(ours, 'nameless', ['/CN=localhost', 'keyUsage=digitalSignature']),
  ]);
  return { server, client, stranger, elsewhere, nameless };
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

async function authority(directory: string, name: string): Promise<string> {
  const home = join(directory, `authority-${name}`);
  mkdirSync(home, { recursive: true });
  const files = ['-keyout', join(home, 'key.pem'), '-out', join(home, 'ca.pem')];
  await run('openssl', ['req', '-x509', ...KEY, '-days', '1', '-subj', `/CN=${name}`, ...files]);
  return home;
}

async function certificate(
  signer: string,
  name: string,
  [subject, extension]: readonly [string, string],
): Promise<string> {
  const home = join(signer, '..', name);
  mkdirSync(home);
  const [request, extensions] = [join(home, 'request.pem'), join(home, 'extensions')];
  writeFileSync(extensions, `${extension}\n`);
  await run('openssl', ['req', '-new', ...KEY, '-subj', subject, '-keyout', join(home, 'key.pem'), '-out', request]);
  const by = ['-CA', join(signer, 'ca.pem'), '-CAkey', join(signer, 'key.pem'), '-set_serial', `0x${serialOf(name)}`];
  const files = ['-in', request, '-out', join(home, 'cert.pem'), '-extfile', extensions];
  await run('openssl', ['x509', '-req', '-days', '1', ...by, ...files]);
  copyFileSync(join(signer, 'ca.pem'), join(home, 'ca.pem'));
  return home;
}

/** One authority must not sign two certificates of the same number. */
function serialOf(name: string): string {
  return Buffer.from(name).toString('hex');
}
