import { logValue } from '../value/text.ts';
import { contextual, type FunctionGroup, fail, fn } from './define.ts';

/** Helm's own functions that reach into the render. */

/** Marks around a message of `required` and `fail`, by which the engine finds it again inside a chain of errors. */
export const warningStart = 'HELM_ERR_START';
export const warningEnd = 'HELM_ERR_END';

const warn = (message: string): never => fail(warningStart + message + warningEnd);

/** Go's logger ends a line that does not end itself. */
const ended = (message: string): string => (message.endsWith('\n') ? message.slice(0, -1) : message);

export const renderFunctions: FunctionGroup = {
  fail: contextual(['string'], ({ profile, tolerate }, message) => {
    if (!tolerate) return warn(message);
    tolerate(profile.name === 'helm3' ? `[INFO] Fail: ${ended(message)}` : `level=INFO msg="funcMap fail" message=${logValue(message)}`);
    return '';
  }),
  /** Without network: Helm too answers the empty text unless --enable-dns is given. */
  getHostByName: fn(['string'], () => ''),
  include: contextual(['string', 'any'], (context, name, data) => context.include(name, data)),
  lookup: contextual(['string', 'string', 'string', 'string'], (context, apiVersion, kind, namespace, name) =>
    context.lookup(apiVersion, kind, namespace, name),
  ),
  required: contextual(['string', 'any'], ({ profile, tolerate }, message, value) => {
    if (value !== null && value !== undefined && value !== '') return value;
    if (!tolerate) return warn(message);
    const what = value === '' ? 'missing required values' : 'missing required value';
    tolerate(
      profile.name === 'helm3'
        ? `[INFO] Missing required value: ${ended(message)}`
        : `level=WARN msg="${what}" message=${logValue(message)}`,
    );
    return '';
  }),
  tpl: contextual(['string', 'any'], (context, text, data) => context.tpl(text, data)),
};
