export { compareApplied } from './compare-applied.ts';
export {
  AppliedManifests,
  CreatedBody,
  DeploymentBody,
  Entry,
  type EntryKind,
  type EntryOf,
  ImageBody,
  ManifestsBody,
  type NewEntry,
  ReleaseRecord,
  RenderInputs,
  SourceFindingsBody,
} from './entries.ts';
export { ReleaseError, type ReleaseErrorCode } from './errors.ts';
export { hashManifests, listObjects, type Manifest, type PinnedManifests, pinImages } from './pin-images.ts';
export { appendEntry, createRecord, digestOfEntry, exportRecord } from './record.ts';
export { type SummaryLine, summarizeRecord } from './summarize.ts';
export { extendsRecord, type RecordFinding, type RecordFindingCode, type RecordVerification, verifyRecord } from './verify.ts';
export { decideVersion, demandNextVersion, nextVersionAllowed, type VersionInput } from './versions.ts';
