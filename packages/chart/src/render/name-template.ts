import { ChartError } from '../errors.ts';
import { type Crypto, platformCrypto } from '../functions/crypto.ts';
import type { CallContext } from '../functions/define.ts';
import { functionsOf } from '../functions/registry.ts';
import { warningEnd, warningStart } from '../functions/rendering.ts';
import type { Environment } from '../language/environment.ts';
import { executeTemplate } from '../language/evaluator.ts';
import { ExecutionError, TemplateSyntaxError } from '../language/failures.ts';
import { parseTemplate } from '../language/parser.ts';
import { TemplateSet } from '../language/templates.ts';
import { defaultLimits } from '../limits.ts';
import { profileOf } from '../profile.ts';
import { Budget } from './budget.ts';

/** Functions that only a chart's render has. */
const chartOnly: ReadonlySet<string> = new Set([
  'include',
  'tpl',
  'required',
  'lookup',
  'toYaml',
  'mustToYaml',
  'toYamlPretty',
  'fromYaml',
  'fromYamlArray',
  'toToml',
  'mustToToml',
  'fromToml',
  'fromJsonArray',
]);

const name = 'name-template';

/**
 * Renders the template of a release's name (`--name-template`): Go's and sprig's functions, no values.
 *
 * @throws ChartError with Go's words
 */
export function renderName(template: string, options: { readonly crypto?: Crypto; readonly now?: () => Date } = {}): string {
  const profile = profileOf('helm3');
  const known = functionsOf(profile);
  const functions = { get: (wanted: string) => (chartOnly.has(wanted) ? undefined : known.get(wanted)) };
  const budget = new Budget(defaultLimits);
  const none = (): never => {
    throw new ChartError('UNSUPPORTED', 'a name has no templates to include');
  };
  const context: CallContext = {
    profile,
    budget,
    crypto: options.crypto ?? platformCrypto,
    now: options.now ?? (() => new Date()),
    include: none,
    tpl: none,
    lookup: none,
  };
  const environment: Environment = { functions, context, budget };
  try {
    const templates = new TemplateSet();
    templates.add(parseTemplate(name, template, (wanted) => functions.get(wanted) !== undefined));
    return executeTemplate(environment, templates, name, undefined);
  } catch (error) {
    if (error instanceof ExecutionError || error instanceof TemplateSyntaxError)
      throw new ChartError('TEMPLATE_EXECUTION', plain(error.message), {
        cure: 'Mend the name template.',
      });
    throw error;
  }
}

/** The marks of `fail` are for the engine of charts. */
const plain = (message: string): string =>
  message
    .replaceAll(warningStart, '')
    .replaceAll(warningEnd, '')
    .replace(/^(?!template: )/, 'template: ');
