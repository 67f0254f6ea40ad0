import type { Digest, Instant } from '@desp/model';
import { canonicalBytes } from '../canonical-json.ts';
import { digestOf } from '../encoding.ts';
import type { FoundPackage, Inventory } from '../image/inventory.ts';

/**
 * CycloneDX 1.6 (ECMA-424), JSON. The same inventory, name and time give the same bytes: members in canonical order, the
 * serial number made from the content.
 */
export interface SbomInput {
  readonly inventory: Inventory;
  /** The image's name without tag and digest. */
  readonly name: string;
  readonly at: Instant;
}

export interface Sbom {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly digest: Digest;
}

export const sbomMediaType = 'application/vnd.cyclonedx+json';

const property = (name: string, value: string): { name: string; value: string } => ({ name: `desp:${name}`, value });

function packageComponent(item: FoundPackage, index: number): object {
  return {
    type: 'library',
    'bom-ref': `${item.purl}#${index}`,
    name: item.name,
    version: item.version,
    purl: item.purl,
    evidence: { occurrences: item.locations.map((location) => ({ location })) },
    properties: [
      property('manager', item.manager),
      property('ecosystem', item.ecosystem),
      property('layer', item.layer),
      ...(item.source ? [property('source-name', item.source.name), property('source-version', item.source.version)] : []),
    ],
  };
}

/** RFC 9562 version 8: 122 bits of the digest. */
function uuidOf(digest: Digest): string {
  const hex = digest.slice('sha256:'.length);
  const variant = ((Number.parseInt(hex[16] as string, 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The document and its digest. Files that nobody assesses are in it, marked, and the composition says `incomplete`. */
export async function writeSbom(input: SbomInput): Promise<Sbom> {
  const { inventory } = input;
  const root = 'image';
  const whole = inventory.unowned.length === 0 && inventory.problems.length === 0;
  const system = inventory.operatingSystem;
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: input.at,
      tools: { components: [{ type: 'application', name: 'desp-security' }] },
      component: {
        type: 'container',
        'bom-ref': root,
        name: input.name,
        version: inventory.subject,
        hashes: [{ alg: 'SHA-256', content: inventory.subject.replace(/^sha256:/, '') }],
      },
      properties: inventory.layers.map((layer) => property('layer', layer)),
    },
    components: [
      ...(system
        ? [
            {
              type: 'operating-system',
              'bom-ref': 'operating-system',
              name: system.id,
              version: system.versionId,
              description: system.prettyName,
            },
          ]
        : []),
      ...inventory.packages.map(packageComponent),
      ...inventory.unowned.map((file, index) => ({
        type: 'file',
        'bom-ref': `file#${index}`,
        name: file.path,
        properties: [property('not-assessed', file.why), property('layer', file.layer)],
      })),
    ],
    compositions: [{ aggregate: whole ? 'complete' : 'incomplete', assemblies: [root] }],
  };
  const serialNumber = `urn:uuid:${uuidOf(await digestOf(canonicalBytes(document)))}`;
  const bytes = canonicalBytes({ ...document, serialNumber });
  return { bytes, digest: await digestOf(bytes) };
}
