import { isIP } from 'node:net';
import { messageOf } from '@desp/runtime';

/** What Node says of a connection that failed; which of these are there depends on how it did. */
interface Failure {
  readonly code?: unknown;
  readonly syscall?: unknown;
  readonly address?: unknown;
  readonly port?: unknown;
  readonly hostname?: unknown;
  /** Of a certificate for another name. */
  readonly host?: unknown;
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } };
  /** Of an answer that is not HTTP. */
  readonly rawPacket?: unknown;
}

/** Why a server was not reached, in the words of Go's net/http: other tools look for them in what Helm says. */
export function networkReason(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return networkReason(cause.errors[0]);
  const failure = (cause ?? {}) as Failure;
  const code = String(failure.code ?? '');
  const message = messageOf(cause);
  const connecting = connectReasons[code];
  if (connecting && failure.syscall !== 'read') return `dial tcp ${placeOf(failure)}: connect: ${connecting}`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${String(failure.hostname)}: no such host`;
  if (code === 'EAI_AGAIN') return `dial tcp: lookup ${String(failure.hostname)}: Temporary failure in name resolution`;
  if (code === 'ECONNRESET') return message === 'read ECONNRESET' ? 'read: connection reset by peer' : 'EOF';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${unverified}: ${otherName(failure)}`;
  if (distrust[code]) return `${unverified}: ${distrust[code]}`;
  if (code.startsWith('HPE_') && failure.rawPacket instanceof Uint8Array) return malformed(failure.rawPacket);
  const alert = /SSL alert number (\d+)/.exec(message)?.[1];
  if (alert && alerts[alert]) return `remote error: tls: ${alerts[alert]}`;
  return message.includes('wrong version number') ? 'http: server gave HTTP response to HTTPS client' : message;
}

function placeOf({ address, port }: Failure): string {
  const host = String(address);
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

const connectReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
};

const unverified = 'tls: failed to verify certificate: x509';
const unknownAuthority = 'certificate signed by unknown authority';
/** Go adds the times, which Node does not tell. */
const outOfTime = 'certificate has expired or is not yet valid';

const distrust: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  CERT_HAS_EXPIRED: outOfTime,
  CERT_NOT_YET_VALID: outOfTime,
};

/** Alerts of TLS (RFC 8446, section 6.2) as crypto/tls calls them. */
const alerts: Readonly<Record<string, string>> = {
  40: 'handshake failure',
  42: 'bad certificate',
  43: 'unsupported certificate',
  44: 'revoked certificate',
  45: 'expired certificate',
  46: 'unknown certificate',
  47: 'illegal parameter',
  48: 'unknown certificate authority',
  49: 'access denied',
  70: 'protocol version not supported',
  71: 'insufficient security level',
  80: 'internal error',
  112: 'unrecognized name',
  116: 'certificate required',
};

/** A certificate for another name, with those that it is for. */
function otherName({ host, cert }: Failure): string {
  const wanted = String(host).replace(/\.$/, '');
  const isAddress = isIP(wanted) !== 0;
  const kind = isAddress ? 'IP Address:' : 'DNS:';
  const names = (cert?.subjectaltname ?? '').split(', ').flatMap((name) => (name.startsWith(kind) ? [name.slice(kind.length)] : []));
  if (names.length > 0) return `certificate is valid for ${names.map(shortened).join(', ')}, not ${wanted}`;
  if (isAddress) return `cannot validate certificate for ${wanted} because it doesn't contain any IP SANs`;
  return `certificate is not valid for any names, but wanted to match ${wanted}`;
}

/** `0:0:0:0:0:0:0:1` is `::1`. */
const shortened = (name: string): string => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name);

const longestLine = 200;

function malformed(packet: Uint8Array): string {
  const line = new TextDecoder().decode(packet.subarray(0, longestLine)).split(/\r?\n/)[0] ?? '';
  return `net/http: HTTP/1.x transport connection broken: malformed HTTP response ${JSON.stringify(line)}`;
}
