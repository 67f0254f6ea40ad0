import type { Flags } from '../flags.ts';
import { loginOf } from './credentials.ts';
import { download } from './http.ts';
import { tlsOf } from './tls-files.ts';

/** Bytes of a values file from the network; the same as of a file in a chart. */
const maxValuesBytes = 5 * 1024 * 1024;

/** `-f https://…` */
export async function fetchText(address: string, flags: Flags): Promise<string> {
  const origin = URL.canParse(address) ? new URL(address).origin : '';
  const bytes = await download(address, maxValuesBytes, { ...tlsOf(flags), login: loginOf(flags), origin });
  return bytes.toString('utf8');
}
