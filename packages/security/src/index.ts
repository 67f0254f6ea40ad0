export { type AdvisoryDatabase, AdvisorySet, parseAdvisoryFile } from './advisories/advisory-set.ts';
export { type Match, matchPackage, type Undecided } from './advisories/match.ts';
export { type Advisory, type AffectedPackage, parseOsvRecord, parseOsvText, type RangeEvent } from './advisories/osv.ts';
export { rehearsalAdvisories } from './advisories/rehearsal.ts';
export { scoreVector } from './advisories/score.ts';
export { type DecompressLimits, decompressLayer, defaultDecompressLimits, gunzip } from './archive/decompress.ts';
export { defaultTarLimits, readTar, type TarLimits } from './archive/tar.ts';
export { type Assessment, assessImage } from './assess.ts';
export { canonicalBytes, canonicalJson, type Json, parseCanonicalJson } from './canonical-json.ts';
export { concatBytes, digestOf, equalText, fromBase64, fromUtf8, toBase64, toHex, utf8 } from './encoding.ts';
export { SecurityError, type SecurityErrorCode } from './errors.ts';
export { digestOfUnassessed, type JudgeInput, judge, type UnassessedAcceptance } from './gate/judge.ts';
export { describePolicy, digestOfPolicy, Policy, parsePolicy, policyFor } from './gate/policy.ts';
export { type LayerBlob, layerOf } from './image/blob-layer.ts';
export type { FoundPackage, Inventory, InventoryProblem, OperatingSystem, PackageManager, UnownedFile } from './image/inventory.ts';
export type { EntryKind, ImageLayer, ImageSource, LayerEntry } from './image/source.ts';
export { readReport } from './reports/read-report.ts';
export type { OutsideFinding, OutsideReport } from './reports/report.ts';
export { type Sbom, type SbomInput, sbomMediaType, writeSbom } from './sbom/cyclonedx.ts';
export { takeInventory } from './sbom/take-inventory.ts';
export { type SecretFinding, type SecretScan, type SourceFile, scanSecrets } from './secrets/scan.ts';
export {
  digestOfEnvelope,
  openSbom,
  openVerdict,
  sbomPredicateType,
  signSbom,
  signVerdict,
  verdictPredicateType,
} from './signing/attest.ts';
export {
  Envelope,
  envelopeMediaType,
  inTotoPayloadType,
  openEnvelope,
  parseEnvelope,
  preAuthenticationEncoding,
  type Statement,
  signEnvelope,
  verifyEnvelope,
} from './signing/envelope.ts';
export {
  generateKeyPair,
  importKeyPair,
  importPublicKey,
  type KeyAlgorithm,
  type KeyPairPem,
  type Signer,
  type Verifier,
} from './signing/keys.ts';
export { compareAlpine } from './versions/alpine.ts';
export { compareDebian } from './versions/debian.ts';
