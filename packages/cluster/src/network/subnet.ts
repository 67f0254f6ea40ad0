import { DespError } from '@desp/runtime';

export class NetworkError extends DespError<'INVALID_SUBNET' | 'NO_PERMISSION' | 'ADDRESS_IN_USE'> {}

/** An IPv4 network in CIDR notation. @throws NetworkError INVALID_SUBNET */
export function parseSubnet(cidr: string): { readonly base: number; readonly size: number } {
  const [, a, b, c, d, bits] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(cidr) ?? [];
  const octets = [a, b, c, d].map(Number);
  const prefix = Number(bits);
  if (bits === undefined || octets.some((octet) => octet > 255) || prefix < 8 || prefix > 30) {
    throw new NetworkError('INVALID_SUBNET', `${JSON.stringify(cidr)} is not an IPv4 network such as 10.244.0.0/24.`, {
      kind: 'user',
      cure: 'Write it as address/bits, with 8 to 30 bits.',
    });
  }
  const size = 2 ** (32 - prefix);
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return { base: address - (address % size), size };
}

/** The n-th address of the network. */
export function addressAt(cidr: string, index: number): string {
  const { base } = parseSubnet(cidr);
  return [24, 16, 8, 0].map((shift) => Math.floor((base + index) / 2 ** shift) % 256).join('.');
}

export function contains(cidr: string, address: string): boolean {
  const { base, size } = parseSubnet(cidr);
  const octets = address.split('.').map(Number);
  if (octets.length !== 4 || octets.some((octet) => !Number.isInteger(octet) || octet < 0 || octet > 255)) return false;
  const number = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return number >= base && number < base + size;
}
