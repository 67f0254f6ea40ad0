import { AcmeError } from './errors.ts';

const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The name in lower case.
 *
 * @param suffixes such as `desp.space`: the name is below one of them (procedure, section 3.6.5)
 * @throws AcmeError unsupportedIdentifier, malformed or rejectedIdentifier
 */
export function checkIdentifier(type: string, value: string, suffixes: readonly string[]): string {
  if (type !== 'dns')
    throw new AcmeError('unsupportedIdentifier', `Identifiers of type ${JSON.stringify(type)} are not certified; names are (dns).`);
  const name = value.toLowerCase();
  if (name.startsWith('*.')) {
    throw new AcmeError('rejectedIdentifier', `${name} is a wildcard, and the HTTP-01 challenge proves single names only.`, {
      cure: 'Name each host.',
    });
  }
  if (name.length > 253 || !name.includes('.') || !name.split('.').every((part) => label.test(part))) {
    throw new AcmeError('malformed', `${JSON.stringify(value.slice(0, 253))} is no host name.`);
  }
  if (!suffixes.some((suffix) => name.endsWith(`.${suffix}`))) {
    throw new AcmeError(
      'rejectedIdentifier',
      `${name} does not end with ${suffixes.map((suffix) => `.${suffix}`).join(' or ')}: the platform certifies no other names.`,
      {
        cure: 'Choose a host name of the platform (procedure, section 3.6.5).',
      },
    );
  }
  return name;
}
