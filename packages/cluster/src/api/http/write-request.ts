import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, invalid } from '../errors.ts';
import type { WriteRequest } from '../objects/context.ts';
import type { Resource } from '../resources/resource.ts';
import type { UserInfo } from '../types.ts';
import { addWarning } from './respond.ts';

/** Characters of one warning and of all warnings of an answer; the real server's bounds (its filter `WithWarningRecorder`). */
export const longestWarning = 256;
export const mostWarnings = 4096;

/** The options of a write, from query and headers. */
export function readWriteRequest(
  request: IncomingMessage,
  response: ServerResponse,
  query: URLSearchParams,
  target: { resource: Resource; namespace: string; subresource: string },
  user: UserInfo,
  isApply = false,
): WriteRequest {
  const { subresource } = target;
  const warned = new Set<string>();
  let characters = 0;
  return {
    resource: target.resource,
    namespace: target.resource.namespaced ? target.namespace : '',
    user,
    ...(subresource === '' ? {} : { subresource }),
    dryRun: readDryRun(query),
    fieldManager: readFieldManager(request, query, isApply),
    fieldValidation: readFieldValidation(query),
    warn: (sentence) => {
      const short = sentence.slice(0, longestWarning);
      if (warned.has(short) || characters + short.length > mostWarnings) return;
      warned.add(short);
      characters += short.length;
      addWarning(response, short);
    },
  };
}

function readDryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun').filter((value) => value !== '');
  const unknown = values.find((value) => value !== 'All');
  if (unknown !== undefined) throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(unknown)}: supported values: "All"`);
  return values.length > 0;
}

function readFieldValidation(query: URLSearchParams): WriteRequest['fieldValidation'] {
  const value = query.get('fieldValidation') || 'Warn';
  if (value === 'Strict' || value === 'Warn' || value === 'Ignore') return value;
  throw badRequest(`fieldValidation: Unsupported value: ${JSON.stringify(value)}: supported values: "Ignore", "Strict", "Warn"`);
}

function readFieldManager(request: IncomingMessage, query: URLSearchParams, isApply: boolean): string {
  const given = query.get('fieldManager');
  const refuse = (reason: string, message: string) =>
    invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [{ field: 'fieldManager', reason, message }]);
  if (given !== null && given !== '') {
    if (given.length > 128) throw refuse('FieldValueTooLong', 'Too long: may not be more than 128 bytes');
    if (/[^\x20-\x7e\u00a0-\uffff]/.test(given))
      throw refuse('FieldValueInvalid', `Invalid value: ${JSON.stringify(given)}: should only contain printable characters`);
    return given;
  }
  if (isApply) throw refuse('FieldValueRequired', 'Required value: is required for apply patch');
  const agent = (request.headers['user-agent'] ?? 'unknown').split('/')[0]!.replace(/[^\x20-\x7e]/g, '');
  return agent.slice(0, 128) || 'unknown';
}
