import { CommitId, Digest, EnvironmentName, Instant, ServiceName } from '@desp/model';
import { Envelope } from '@desp/security';
import { z } from 'zod';

/**
 * What a release record can say. A closed union: to add a kind, write its body here, its line in `Entry`, its checks in
 * `verify-contents.ts` and its sentence in `summarize.ts`; the compiler and the tests name the places that were forgotten.
 */
const text = z.string().min(1).max(2000);
const list = 10_000;

/** The first entry of every record, and only the first. */
export const CreatedBody = z.strictObject({
  service: ServiceName,
  version: text,
  commit: CommitId,
  gitTag: text,
  /** The pipeline templates that the run resolved, when it included any. */
  templates: z.strictObject({ project: text, commit: CommitId }).optional(),
  delivery: text.optional(),
});

/** An image of the release, judged for an environment. */
export const ImageBody = z.strictObject({
  environment: EnvironmentName,
  /** Repository with host, without tag and digest. */
  name: text,
  tag: text,
  digest: Digest,
  builtBy: z.strictObject({ job: text, delivery: text }).optional(),
  /** The SBOM's digest, and the document where it is kept in the record. */
  sbom: z.strictObject({ digest: Digest, document: z.record(z.string(), z.json()).optional() }),
  /** The signed verdict, whole. */
  verdict: Envelope,
});

/** What was found in the source that the release was built from. */
export const SourceFindingsBody = z.strictObject({
  commit: CommitId,
  files: z.number().int().min(0),
  findings: z.array(z.strictObject({ rule: text, location: text, what: text })).max(list),
  notAssessed: z.array(z.strictObject({ what: text, why: text })).max(list),
});

/** With what a chart was rendered, beside its files, the environment's values and the released images. */
export const RenderInputs = z.strictObject({
  release: text,
  operation: z.enum(['install', 'upgrade']),
  revision: z.number().int().min(1),
  kubeVersion: text,
});
export type RenderInputs = z.infer<typeof RenderInputs>;

/** What one chart rendered to for an environment, after its images were pinned. */
export const ManifestsBody = z.strictObject({
  environment: EnvironmentName,
  chart: text,
  chartVersion: text,
  namespace: text,
  /** `hashManifests` of the objects. */
  digest: Digest,
  objects: z.array(z.strictObject({ apiVersion: text, kind: text, namespace: z.string().max(253), name: text })).max(list),
  images: z.array(z.strictObject({ name: text, digest: Digest })).max(list),
  /** What the digest holds for: a template may look at any of it. Absent in records of before 23 November 2026. */
  rendered: RenderInputs.optional(),
});

/** What a cluster says that it applied. */
export const AppliedManifests = RenderInputs.extend({ digest: Digest });
export type AppliedManifests = z.infer<typeof AppliedManifests>;

export const DeploymentBody = z.strictObject({
  environment: EnvironmentName,
  startedAt: Instant,
  endedAt: Instant,
  outcome: z.enum(['succeeded', 'failed']),
  /** Digests of the manifests entries that were handed to the cluster. */
  manifests: z.array(Digest).min(1).max(list),
  /** What the cluster says that it applied; absent where it does not say. */
  applied: z.array(AppliedManifests).max(list).optional(),
  /** Why what was applied is not, or is not known to be, what the manifests entries hash; absent when it is. */
  unequal: text.optional(),
  reason: text,
});

const base = {
  seq: z.number().int().min(0),
  /** Digest of the entry before, of the header for the first. */
  previous: Digest,
  at: Instant,
  /** The person or the part of the platform that did it. */
  who: text,
};

export const Entry = z.discriminatedUnion('kind', [
  z.strictObject({ ...base, kind: z.literal('created'), body: CreatedBody }),
  z.strictObject({ ...base, kind: z.literal('image'), body: ImageBody }),
  z.strictObject({ ...base, kind: z.literal('source-findings'), body: SourceFindingsBody }),
  z.strictObject({ ...base, kind: z.literal('manifests'), body: ManifestsBody }),
  z.strictObject({ ...base, kind: z.literal('deployment'), body: DeploymentBody }),
]);
export type Entry = z.infer<typeof Entry>;
export type EntryKind = Entry['kind'];
export type EntryOf<Kind extends EntryKind> = Extract<Entry, { kind: Kind }>;

/** An entry before it has its place in the chain. */
export type NewEntry = { [Kind in EntryKind]: Pick<EntryOf<Kind>, 'kind' | 'body' | 'at' | 'who'> }[EntryKind];

export const recordFormat = 'desp-release-record/1';

export const ReleaseRecord = z.strictObject({
  header: z.strictObject({ format: z.literal(recordFormat), service: ServiceName, version: text }),
  entries: z.array(Entry).min(1).max(list),
  /** The platform's signature over the digest of the last entry, and so over all of them. */
  head: Envelope,
});
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;

/** What the head's signature says. */
export const Head = z.strictObject({
  format: z.literal(recordFormat),
  service: ServiceName,
  version: text,
  entries: z.number().int().min(1),
  last: Digest,
});
export type Head = z.infer<typeof Head>;
export const headPayloadType = 'application/vnd.desp.release-head.v1+json';
