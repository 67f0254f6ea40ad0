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

function judge({ kind, name, file, environment }: Manifest, image: string): Found[] {
  const reference = parseImageReference(image);
  const who = `${kind} ${name} for ${environment.name}`;
  const finding = (message: string, cure: string): Found => ({ severity: 'error', message, file, environment: environment.name, cure });
  if (!reference) return [finding(`${who} has the image "${image}", which is no image reference.`, 'Write HOST/SERVICE/IMAGE:VERSION.')];
  const found: Found[] = [];
  const registries = environment.registryHosts.join(' or ');
  if (!reference.host || !environment.registryHosts.includes(reference.host))
    found.push(
      finding(
        `${who} takes the image "${image}" from ${reference.host ?? 'Docker Hub'}, not from ${registries}.`,
        `Deliver the image to ${registries} and name it so in ${environment.valuesFile}.`,
      ),
    );
  if (!reference.digest && (reference.tag === undefined || reference.tag === 'latest'))
    found.push(finding(`${who} takes the image "${image}" without a fixed version.`, 'Give it the tag of a release.'));
  return found;
}
