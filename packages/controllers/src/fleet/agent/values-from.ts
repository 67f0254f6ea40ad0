import { readValues, toObject } from '@desp/chart';
import { type DeploymentOptions, type JsonMap, mergeValues, type ValuesFrom } from '@desp/fleet';
import { configMapType, type KubeClient, secretType } from '@desp/kube';
import { ControllerError } from '../../controller-error.ts';

const defaultKey = 'values.yaml';

/**
 * The options with what `helm.valuesFrom` names merged over the values, later entries over earlier (reference of Fleet, §2): from
 * the release's namespace unless named, which must be `confinedTo` where that is set.
 *
 * @throws ControllerError INVALID when something named is not there; NOT_ALLOWED when it lies in another service's namespace
 */
export async function resolveValuesFrom(
  client: KubeClient,
  options: DeploymentOptions,
  scope: { readonly namespace: string; readonly confinedTo: string | undefined },
): Promise<DeploymentOptions> {
  const entries = options.helm?.valuesFrom;
  if (!options.helm || !entries?.length) return options;
  let values: JsonMap = options.helm.values ?? {};
  for (const entry of entries) {
    for (const from of ['configMapKeyRef', 'secretKeyRef'] as const) {
      const reference = entry[from];
      if (reference) values = mergeValues(values, await readReference(client, from, reference, scope));
    }
  }
  const { valuesFrom: _resolved, ...helm } = options.helm;
  return { ...options, helm: { ...helm, values } };
}

async function readReference(
  client: KubeClient,
  from: keyof ValuesFrom,
  { name, namespace, key = defaultKey }: NonNullable<ValuesFrom[keyof ValuesFrom]>,
  scope: { namespace: string; confinedTo: string | undefined },
): Promise<JsonMap> {
  const place = namespace || scope.namespace;
  const what = `${from === 'secretKeyRef' ? 'Secret' : 'ConfigMap'} ${place}/${name}`;
  if (scope.confinedTo !== undefined && place !== scope.confinedTo) {
    throw new ControllerError(
      'NOT_ALLOWED',
      `helm.valuesFrom names the ${what}; a service reads only what lies in its own namespace ${scope.confinedTo}.`,
      { kind: 'user', cure: 'Put the values there.' },
    );
  }
  const text =
    from === 'secretKeyRef'
      ? decode((await client.get(secretType, name, place))?.data?.[key])
      : (await client.get(configMapType, name, place))?.data?.[key];
  if (text === undefined) {
    throw new ControllerError('INVALID', `helm.valuesFrom names the key ${key} of the ${what}, which is not there.`, {
      kind: 'user',
      cure: 'Create it; the deployment is then tried again.',
    });
  }
  try {
    return JSON.parse(JSON.stringify(toObject(readValues(text, false)))) as JsonMap;
  } catch {
    // The text may be secret, and the parser quotes it: no cause.
    throw new ControllerError('INVALID', `The key ${key} of the ${what} holds no YAML map.`, { kind: 'user', cure: 'Correct it.' });
  }
}

const decode = (data: string | undefined): string | undefined =>
  data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
