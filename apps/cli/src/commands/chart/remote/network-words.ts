import { messageOf } from '@desp/runtime';

/** Why a server was not reached, in the words of Go's net/http: other tools look for them in what Helm says. */
export function networkReason(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return networkReason(cause.errors[0]);
  const { code, address, port, hostname } = (cause ?? {}) as Partial<Record<'code' | 'address' | 'port' | 'hostname', unknown>>;
  const message = messageOf(cause);
  switch (code) {
    case 'ECONNREFUSED': {
      const host = String(address);
      return `dial tcp ${host.includes(':') ? `[${host}]` : host}:${String(port)}: connect: connection refused`;
    }
    case 'ENOTFOUND':
      return `dial tcp: lookup ${String(hostname)}: no such host`;
    case 'ECONNRESET':
      return message === 'socket hang up' ? 'EOF' : message;
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    default:
      if (message.includes('wrong version number')) return 'http: server gave HTTP response to HTTPS client';
      if (message.includes('alert certificate required')) return 'remote error: tls: certificate required';
      return message;
  }
}
