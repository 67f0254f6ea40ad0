import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@desp/runtime';
import { errors, type Provider } from 'oidc-provider';
import { IdentityError } from '../identity-error.ts';
import { loginPage, messagePage } from './pages.ts';

const longestForm = 8_192;
const mostRead = 4 * 1024 * 1024;

export interface LoginInteraction {
  readonly provider: Provider;
  readonly origin: string;
  readonly proofKey: string;
  /** The subject of the person with this name and password; undefined when there is none. @throws IdentityError TOO_MANY_TRIES */
  readonly checkPassword: (name: string, password: string) => Promise<string | undefined>;
}

/**
 * The login page of one interaction: GET shows it, POST checks name and password and sends the visitor back into the flow.
 *
 * A form counts only from the page that we gave to this visitor (login CSRF would make somebody act under another's name): the
 * interaction's signed cookie names it, the form carries a proof of it that only we can make, and the browser's own word on
 * where the request comes from must not contradict.
 */
export async function answerLogin(options: LoginInteraction, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { provider, proofKey } = options;
  let interaction: Awaited<ReturnType<Provider['interactionDetails']>>;
  try {
    interaction = await provider.interactionDetails(request, response);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    return send(response, 400, messagePage('This login is over', 'Go back to where you came from and start again.', true));
  }
  const { uid, params } = interaction;
  const client = await provider.Client.find(String(params['client_id']));
  const proof = createHmac('sha256', proofKey).update(`login:${uid}`).digest('base64url');
  const page = (more: { person?: string; wrong?: string } = {}) =>
    loginPage({ action: `${new URL(provider.issuer).pathname}/interaction/${uid}`, proof, client: client?.clientName ?? 'DESP', ...more });
  if (request.method === 'GET') return send(response, 200, page());
  if (request.method !== 'POST') return send(response, 405, messagePage('Not possible', 'This address takes GET and POST.', true));
  const form = fromElsewhere(request, options.origin) ? undefined : await readForm(request);
  if (!form || !sameText(form.get('proof') ?? '', proof)) {
    return send(
      response,
      403,
      messagePage('Not from this page', 'This form did not come from the page that you were shown. Start again.', true),
    );
  }
  const person = (form.get('person') ?? '').trim();
  let subject: string | undefined;
  try {
    subject = await options.checkPassword(person, form.get('password') ?? '');
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'TOO_MANY_TRIES') throw error;
    return send(response, 429, page({ person, wrong: `${messageOf(error)} ${error.cure ?? ''}` }));
  }
  if (subject === undefined) return send(response, 401, page({ person, wrong: 'There is nobody with this name and password.' }));
  await provider.interactionFinished(request, response, { login: { accountId: subject } }, { mergeWithLastSubmission: false });
}

export function send(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(html);
}

/** What the browser says of a form's origin, where it says something (Fetch, section 3.2; Fetch Metadata). */
function fromElsewhere(request: IncomingMessage, origin: string): boolean {
  const site = request.headers['sec-fetch-site'];
  return (request.headers.origin !== undefined && request.headers.origin !== origin) || (site !== undefined && site !== 'same-origin');
}

/** A form of at most 8 KiB; undefined for anything else. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return undefined;
  let text = '';
  let length = 0;
  for await (const chunk of request.setEncoding('utf8')) {
    length += chunk.length;
    // Read on without keeping it, so that the sender hears the answer; but not for ever.
    if (length > mostRead) return undefined;
    if (length <= longestForm) text += chunk;
  }
  if (length > longestForm) return undefined;
  return new URLSearchParams(text);
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
