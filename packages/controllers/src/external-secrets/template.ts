import type { Secret } from '@desp/kube';
import type { Clock } from '@desp/runtime';
import { ControllerError } from '../controller-error.ts';
import type { SecretTemplate } from './schema.ts';

/**
 * What `target.template` makes of fetched data. A template without texts keeps them and changes only type and metadata.
 *
 * @throws ControllerError NOT_SUPPORTED
 */
export function applyTemplate(
  template: SecretTemplate | undefined,
  fetched: ReadonlyMap<string, Uint8Array>,
  _live: Secret | undefined,
  _clock: Clock,
): ReadonlyMap<string, Uint8Array> {
  if (template === undefined) return fetched;
  if (template.templateFrom.length === 0 && Object.keys(template.data).length === 0) return fetched;
  throw new ControllerError('NOT_SUPPORTED', 'template.data and template.templateFrom are not supported by this rehearsal yet', {
    kind: 'user',
    cure: 'Store the value in the shape in which the Secret needs it.',
  });
}
