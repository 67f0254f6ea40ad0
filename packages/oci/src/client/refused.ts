import { mask } from '@desp/runtime';
import { z } from 'zod';
import type { RefusedCall } from '../errors.ts';
import type { HttpAnswer } from './http.ts';

const ErrorBody = z.object({
  errors: z
    .array(z.object({ code: z.string(), message: z.string().optional() }))
    .min(1)
    .max(100),
});

const longestMessage = 1000;

/**
 * What an answer says of its refusal.
 *
 * @param text its body, of which only the specification's form counts (distribution, section "Error Codes")
 * @param wanted the request that a token was asked for
 */
export function refusedCall(answer: HttpAnswer, text: string, wanted?: RefusedCall['wanted']): RefusedCall {
  const { method, status } = answer;
  const url = new URL(answer.url);
  url.username = url.password = '';
  if (wanted) {
    url.searchParams.delete('account');
    url.searchParams.sort();
    // Where a registry sends us for a blob, the query may be the key to it.
  } else url.search = '';
  return { method, url: url.href, status, errors: errorsIn(text), ...(wanted ? { wanted } : {}) };
}

function errorsIn(text: string): RefusedCall['errors'] {
  try {
    const { errors } = ErrorBody.parse(JSON.parse(text));
    return errors.map(({ code, message }) => ({
      code,
      message: message === undefined ? undefined : mask(message).slice(0, longestMessage),
    }));
  } catch {
    // Not the specification's body: the status must do.
    return [];
  }
}
