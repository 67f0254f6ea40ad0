import type { Value } from '../value/kinds.ts';
import { printValue } from '../value/print.ts';
import { GoStruct } from '../value/struct.ts';
import { fromBytes } from '../value/text.ts';
import { addressBytes } from '../x509/address.ts';
import { base64Decode } from './bases.ts';
import type { CertificateRequest, Certificates } from './crypto.ts';
import { type CallContext, contextual, type FunctionGroup, fail } from './define.ts';

/** Keys and certificates of sprig: made by the given cryptography. */

function certificates(context: CallContext): Certificates {
  return context.crypto.certificates ?? fail('no cryptography is given to this render: certificates cannot be made');
}

/** sprig's certificate: PEM texts of a certificate and its key. */
function certificateValue(certificate: string, key: string): GoStruct {
  return new GoStruct({
    type: 'sprig.certificate',
    kind: 'struct',
    fields: [
      ['Cert', certificate],
      ['Key', key],
    ],
  });
}

interface Names {
  readonly ips: readonly Value[];
  readonly dnsNames: readonly Value[];
}

const noNames: Names = { ips: [], dnsNames: [] };

function address(value: Value): string {
  if (typeof value !== 'string') return fail(`error parsing ip: ${printValue(value)} is not a string`);
  addressBytes(value);
  return value;
}

/** In sprig's order: a key that is given is read before the names are looked at. */
function issue(context: CallContext, commonName: string, names: Names, days: bigint, rest: Partial<CertificateRequest>): GoStruct {
  const maker = certificates(context);
  if (rest.key === undefined) context.budget.certificate();
  try {
    if (rest.key !== undefined) maker.checkKey(rest.key);
    const ips = names.ips.map(address);
    const dnsNames = names.dnsNames.map((name) =>
      typeof name === 'string' ? name : fail(`error processing alternate dns name: ${printValue(name)} is not a string`),
    );
    const { certificate, key } = maker.issue({ commonName, ips, dnsNames, days: Number(days), isCa: false, now: context.now(), ...rest });
    return certificateValue(certificate, key);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function signerOf(value: GoStruct): { certificate: string; key: string } {
  const text = (name: string): string => String(value.field(name)?.value ?? '');
  return { certificate: text('Cert'), key: text('Key') };
}

function buildCustom(context: CallContext, certificate: string, key: string): GoStruct {
  const certificateBytes = base64Decode(certificate);
  const keyBytes = base64Decode(key);
  if (typeof certificateBytes === 'string') return fail('unable to decode base64 certificate');
  if (typeof keyBytes === 'string') return fail('unable to decode base64 private key');
  const [certificateText, keyText] = [fromBytes(certificateBytes), fromBytes(keyBytes)];
  try {
    certificates(context).check(certificateText, keyText);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  return certificateValue(certificateText, keyText);
}

export const certificateFunctions: FunctionGroup = {
  buildCustomCert: contextual(['string', 'string'], buildCustom),
  genCA: contextual(['string', 'int'], (context, name, days) => issue(context, name, noNames, days.value, { isCa: true })),
  genCAWithKey: contextual(['string', 'int', 'string'], (context, name, days, key) =>
    issue(context, name, noNames, days.value, { isCa: true, key }),
  ),
  genPrivateKey: contextual(['string'], (context, type) =>
    ['', 'rsa', 'dsa', 'ecdsa', 'ed25519'].includes(type) ? certificates(context).generateKey(type || 'rsa') : `Unknown type ${type}`,
  ),
  genSelfSignedCert: contextual(['string', 'list', 'list', 'int'], (context, name, ips, dnsNames, days) =>
    issue(context, name, { ips, dnsNames }, days.value, {}),
  ),
  genSelfSignedCertWithKey: contextual(['string', 'list', 'list', 'int', 'string'], (context, name, ips, dnsNames, days, key) =>
    issue(context, name, { ips, dnsNames }, days.value, { key }),
  ),
  genSignedCert: contextual(['string', 'list', 'list', 'int', 'certificate'], (context, name, ips, dnsNames, days, ca) =>
    issue(context, name, { ips, dnsNames }, days.value, { signer: signerOf(ca) }),
  ),
  genSignedCertWithKey: contextual(
    ['string', 'list', 'list', 'int', 'certificate', 'string'],
    (context, name, ips, dnsNames, days, ca, key) => issue(context, name, { ips, dnsNames }, days.value, { signer: signerOf(ca), key }),
  ),
};
