import { nodeCrypto } from '@desp/chart/node';

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

interface Wish {
  readonly ips?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly now?: Date;
  readonly signer?: Pair;
}

/** A certificate for tests of TLS, valid for a day from `now`; without a signer it signs others. */
export function issue(commonName: string, { ips = [], dnsNames = [], now = new Date(), signer }: Wish = {}): Pair {
  const { certificates } = nodeCrypto;
  if (!certificates) throw new Error('Node has certificates');
  const key = certificates.generateKey('ecdsa');
  return certificates.issue({ commonName, ips, dnsNames, days: 1, isCa: !signer, now, key, ...(signer ? { signer } : {}) });
}
