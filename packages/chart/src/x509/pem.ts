import { base64Decode, base64Encode } from '../functions/bases.ts';

/** PEM texts: one block of base64 under a label. */

const form = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/;

export function writePem(label: string, der: Uint8Array): string {
  const lines = base64Encode(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The first block of a text; undefined where there is none. @throws Error for one that is no base64 */
export function readPem(text: string): { readonly label: string; readonly der: Uint8Array } | undefined {
  const found = form.exec(text);
  if (!found) return undefined;
  const der = base64Decode((found[2] as string).replace(/\s/g, ''));
  if (typeof der === 'string') throw new Error(der);
  return { label: found[1] as string, der };
}
