import type { JsonMap } from '@desp/fleet';
import { parseImageReference } from '@desp/model';
import { at, listOf, type Manifest, manifestsOf, podSpecOf } from '../manifests.ts';
import type { Found } from '../report.ts';
import type { Check } from './check.ts';

export const imageSources: Check = {
  id: 'image-sources',
  title: 'Every image comes from the registry of its environment, with a version.',
  requirements: ['DESP-DEV-033'],
  run: (subject) => manifestsOf(subject).flatMap((manifest) => imagesOf(manifest).flatMap((image) => judge(manifest, image))),
};

function imagesOf(manifest: Manifest): string[] {
  const spec = podSpecOf(manifest);
  const containers = ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) => listOf(at(spec, field)));
  return [
    ...new Set(
      containers.flatMap((container) => {
        const image = at(container, 'image');
        return typeof image === 'string' ? [image] : [];
      }),
    ),
  ];
}

function judge({ object, kind, name, file, environment }: Manifest, image: string): Found[] {
  const faults = faultsOf(image, environment.registryHosts);
  if (faults.length === 0) return [];
  return [
    {
      // Fleet never runs Helm's tests: such an image is pulled only when a person does.
      severity: isTest(object) ? 'warning' : 'error',
      message: `${kind} ${name} has the image "${image}", which ${faults.join(' and ')}.`,
      file,
      environments: [environment.name],
      cure: `Deliver it as HOST/SERVICE/IMAGE:VERSION, and name the host (here ${environment.registryHosts.join(' or ')}) in the values file of each environment.`,
    },
  ];
}

function faultsOf(image: string, registries: readonly string[]): string[] {
  const reference = parseImageReference(image);
  if (!reference) return ['is no image reference'];
  const faults: string[] = [];
  if (!reference.host || !registries.includes(reference.host))
    faults.push(`comes from ${reference.host ?? 'Docker Hub'}, not from the registry of the environment`);
  if (!reference.digest && (reference.tag === undefined || reference.tag === 'latest')) faults.push('has no fixed version');
  return faults;
}

const isTest = (object: JsonMap): boolean => {
  const hooks = at(object, 'metadata', 'annotations', 'helm.sh/hook');
  return typeof hooks === 'string' && hooks.split(',').every((hook) => hook.trim().startsWith('test'));
};
