import { CliError } from '../cli-error.ts';

/**
 * Goes through the identity provider's own pages as a browser without scripts would: fills in each form and sends it, keeps
 * cookies, follows redirects. For the rehearsal, where nobody sits at a browser; there is no second way in for it at the server.
 */
const mostSteps = 15;
const mostBytes = 256 * 1024;
const timeoutMs = 15_000;

/**
 * Walks from `start` until a page has no form.
 *
 * @param answers values by field name; a form's hidden fields and its first button go with them.
 * @throws CliError REFUSED with what a page says is wrong; API when the pages leave their origin or do not end.
 */
export async function walkForms(start: string, answers: Readonly<Record<string, string>>): Promise<void> {
  const { origin } = new URL(start);
  const cookies = new Map<string, string>();
  let [address, form]: [URL, URLSearchParams | undefined] = [new URL(start), undefined];
  for (let step = 0; step < mostSteps; step++) {
    // A password must not follow a form or redirect to somebody else.
    if (address.origin !== origin)
      throw new CliError('API', `The login pages of ${origin} lead to ${address.origin}.`, { kind: 'upstream' });
    const response: Response = await fetch(address, {
      ...(form ? { method: 'POST', body: form } : {}),
      headers: { accept: 'text/html', cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    for (const cookie of response.headers.getSetCookie()) keep(cookies, cookie);
    const location: string | null = response.headers.get('location');
    const text = (await response.text()).slice(0, mostBytes);
    if (location !== null && response.status >= 300 && response.status < 400) {
      [address, form] = [new URL(location, address), undefined];
      continue;
    }
    const wrong = /<p [^>]*role="alert"[^>]*>([^<]*)</.exec(text)?.[1];
    if (wrong !== undefined || !response.ok)
      throw new CliError('REFUSED', decodeHtml(wrong ?? `The login page answered ${response.status}.`), { kind: 'user' });
    const next = readForm(text, answers);
    if (!next) return;
    [address, form] = [new URL(next.action, address), next.fields];
  }
  throw new CliError('API', `The login pages of ${origin} do not come to an end.`, { kind: 'upstream' });
}

function keep(cookies: Map<string, string>, line: string): void {
  const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
  if (value === '' || /;\s*expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
  else cookies.set(name, value);
}

function readForm(html: string, answers: Readonly<Record<string, string>>): { action: string; fields: URLSearchParams } | undefined {
  const [, head = '', inside = ''] = /<form\b([^>]*)>([\s\S]*?)<\/form>/.exec(html) ?? [];
  const action = attribute(head, 'action');
  if (action === undefined) return undefined;
  const fields = new URLSearchParams();
  let pressed = false;
  for (const [, tag, rest = ''] of inside.matchAll(/<(input|button)\b([^>]*)>/g)) {
    const name = attribute(rest, 'name');
    if (tag === 'button' && pressed) continue;
    if (tag === 'button') pressed = true;
    if (name !== undefined) fields.set(name, answers[name] ?? attribute(rest, 'value') ?? '');
  }
  return { action, fields };
}

const attribute = (tag: string, name: string): string | undefined => {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : decodeHtml(value);
};

const decodeHtml = (text: string): string => text.replace(/&#(\d{1,6});/g, (_, code) => String.fromCodePoint(Number(code)));
