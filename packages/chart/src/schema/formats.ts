import { Regex } from '../regex/regex.ts';

/** Checks of `format`; undefined for a good value, else the reason. Unknown formats accept everything. */
export type FormatCheck = (text: string) => string | undefined;

const when =
  (test: (text: string) => boolean, reason: string): FormatCheck =>
  (text) =>
    test(text) ? undefined : reason;

function ipv4(text: string): string | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return 'expected four decimals';
  for (const part of parts) {
    if (part.length > 1 && part.startsWith('0')) return 'leading zeros';
    if (!/^\d+$/.test(part) || Number(part) > 255) return 'invalid decimal';
  }
  return undefined;
}

function ipv6(text: string): boolean {
  if (!text.includes(':') || text.includes('%')) return false;
  try {
    return new URL(`http://[${text}]/`).hostname !== '';
  } catch {
    return false;
  }
}

function hostname(text: string): string | undefined {
  const host = text.endsWith('.') ? text.slice(0, -1) : text;
  if (host.length > 253) return 'more than 253 characters long';
  for (const label of host.split('.')) {
    if (label.length < 1 || label.length > 63) return 'label must be 1 to 63 characters long';
    if (label.startsWith('-')) return 'label starts with hyphen';
    if (label.endsWith('-')) return 'label ends with hyphen';
    const bad = /[^a-zA-Z0-9-]/.exec(label);
    if (bad) return `invalid character '${bad[0]}'`;
  }
  return undefined;
}

function email(text: string): string | undefined {
  if (text.length > 254) return 'more than 255 characters long';
  const at = text.lastIndexOf('@');
  if (at < 0) return 'missing @';
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (local.length > 64) return 'local part more than 64 characters long';
  if (local.length > 1 && local.startsWith('"') && local.endsWith('"')) return undefined;
  if (local.startsWith('.')) return 'starts with dot';
  if (local.endsWith('.')) return 'ends with dot';
  if (local.includes('..')) return 'consecutive dots';
  if (!/^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+$/.test(local)) return `invalid character ${JSON.stringify(local)}`;
  if (domain.startsWith('[') && domain.endsWith(']')) return ipv4(domain.slice(1, -1));
  const reason = hostname(domain);
  return reason === undefined ? undefined : `invalid domain: ${reason}`;
}

function date(text: string): string | undefined {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  const reason = `parsing time ${JSON.stringify(text)} as "2006-01-02": cannot parse`;
  if (!found) return reason;
  const [year, month, day] = [Number(found[1]), Number(found[2]), Number(found[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate() ? undefined : reason;
}

const timeForm = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

function dateTime(text: string): string | undefined {
  if (text.length < 20) return 'less than 20 characters long';
  if (!/[tT]/.test(text[10] as string)) return '11th character must be t or T';
  const reason = date(text.slice(0, 10));
  if (reason) return `invalid date element: ${reason}`;
  return timeForm.test(text.slice(11)) ? undefined : 'invalid time element: invalid time';
}

function uri(text: string): string | undefined {
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s\\^`{|}<>"]*$/.test(text) ? undefined : 'relative url';
}

function regex(text: string): string | undefined {
  try {
    new Regex(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export const formats: Readonly<Record<string, FormatCheck>> = {
  date,
  'date-time': dateTime,
  email,
  hostname,
  ipv4,
  ipv6: when(ipv6, 'invalid ipv6'),
  'json-pointer': when((text) => /^(\/([^~/]|~[01])*)*$/.test(text), 'not starting with /'),
  regex,
  time: when((text) => timeForm.test(text), 'invalid time'),
  uri,
  'uri-reference': when((text) => !/[\s\\^`{|}<>"]/.test(text), 'invalid url'),
  uuid: when((text) => /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(text), 'must be 36 characters long'),
};
