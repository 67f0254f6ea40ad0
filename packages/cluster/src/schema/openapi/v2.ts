/**
 * `/openapi/v2` for kubectl before 1.29 and helm 3: they read only gnostic's protobuf form (`openapi.v2.Document`), of which they need
 * for each kind that its PATCH takes `dryRun` and `fieldValidation`. No definitions: old clients then leave validation to the server.
 */
import { groupVersionPath, hashOf, type OpenApiSource, objectPath } from './source.ts';

const encoder = new TextEncoder();

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

/** A length-delimited field. */
function field(number: number, content: Uint8Array | string): Uint8Array {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content;
  return join([Uint8Array.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** Operation.parameters (8) → ParametersItem.parameter (1) → Parameter.non_body_parameter (2) → query (3): in (2), name (4), type (6). */
function queryParameter(name: string): Uint8Array {
  const query = join([field(2, 'query'), field(4, name), field(6, 'string')]);
  return field(8, field(1, field(2, field(3, query))));
}

/** Operation.vendor_extension (13) → NamedAny: name (1), value (2) → Any.yaml (2). */
function kindExtension(gvk: { group: string; version: string; kind: string }): Uint8Array {
  const yaml = `group: ${JSON.stringify(gvk.group)}\nkind: ${JSON.stringify(gvk.kind)}\nversion: ${JSON.stringify(gvk.version)}\n`;
  return field(13, join([field(1, 'x-kubernetes-group-version-kind'), field(2, field(2, yaml))]));
}

const documents = new WeakMap<OpenApiSource, { body: Uint8Array; hash: string }>();

/** The document as bytes with its hash, for `application/com.github.proto-openapi.spec.v2.v1.0+protobuf`. */
export function openApiV2Document(source: OpenApiSource): { body: Uint8Array; hash: string } {
  const known = documents.get(source);
  if (known) return known;
  const paths = [...source.resources]
    .sort((a, b) => (groupVersionPath(a) + a.plural < groupVersionPath(b) + b.plural ? -1 : 1))
    .map((resource) => {
      const patch = join([
        queryParameter('dryRun'),
        queryParameter('fieldManager'),
        queryParameter('fieldValidation'),
        kindExtension(resource),
      ]);
      // Paths.path (2) → NamedPathItem: name (1), value (2) → PathItem.patch (8)
      return field(2, join([field(1, objectPath(resource)), field(2, field(8, patch))]));
    });
  // Document: swagger (1), info (2) with title (1) and version (2), paths (8)
  const info = join([field(1, 'Kubernetes'), field(2, source.version)]);
  const body = join([field(1, '2.0'), field(2, info), field(8, join(paths))]);
  const document = { body, hash: hashOf(body) };
  documents.set(source, document);
  return document;
}
