import { EngineUnreachableError } from '../errors.ts';
import { errnoOf } from './connect-failure.ts';

const UNTRUSTED = 'its certificate is not signed by an authority that is trusted here. Is it the right ca.pem?';
const REFUSED = 'it does not take the certificate shown to it. Are cert.pem and key.pem the right ones?';
const NO_TLS = 'it does not speak TLS there.';

/** What a person is told, by the code of Node and OpenSSL. Source: Node's tls documentation, openssl/sslerr.h. */
const SENTENCES: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired.',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet. Is the clock right?',
  INVALID_PURPOSE: 'its certificate is not one for a server.',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    'it asks for a certificate, and none was shown (cert.pem and key.pem; see DOCKER_CERT_PATH).',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: REFUSED,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: REFUSED,
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'the certificate shown to it has expired.',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: REFUSED,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_HTTP_REQUEST: NO_TLS,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks only versions of TLS that are no longer safe.',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks only versions of TLS that are no longer safe.',
};

/**
 * Translates what TLS says before anything was asked; undefined for everything else.
 *
 * With TLS 1.3 a client has finished its handshake before the engine has looked at its certificate: the refusal comes on an open
 * connection, in place of an answer. It still means that nothing was asked.
 */
export function tlsFailure(address: string, cause: unknown): EngineUnreachableError | undefined {
  // OpenSSL calls some alerts SSL/TLS since 3.2.
  const errno = errnoOf(cause).replace('SSL/TLS', 'SSLV3');
  const sentence = errno === 'ERR_TLS_CERT_ALTNAME_INVALID' ? wrongName(cause) : SENTENCES[errno];
  if (sentence === undefined) return undefined;
  return new EngineUnreachableError(`Cannot connect to the engine at ${address}: ${sentence}`, {
    errno,
    address,
    cause,
  });
}

function wrongName(cause: unknown): string {
  const reason = cause instanceof Error && 'reason' in cause ? String(cause.reason) : String(cause);
  return `its certificate is for another host: ${reason.replace(/\.?$/, '.')}`;
}
