/**
 * Helm charts without Helm: load a chart's files, lay values over its defaults, render its templates.
 *
 * Pure: no files, network or clock of its own. `@desp/chart/node` reads folders and archives and brings Node's
 * cryptography.
 */
export type {
  HookEvent,
  Lookup,
  ReleaseInput,
  RenderedCrd,
  RenderedHook,
  RenderedManifest,
  RenderOptions,
  RenderResult,
} from './api.ts';
export { ChartError, type ChartErrorCode } from './errors.ts';
export type { CertificateRequest, Certificates, Crypto } from './functions/crypto.ts';
export { type Diagnosed, type DiagnoseOptions, diagnose } from './hints/diagnose.ts';
export type { Diagnosis, Excerpt, ValueFinding } from './hints/diagnosis.ts';
export { excerptOf, withoutControls } from './hints/excerpt.ts';
export { type FormatOptions, formatDiagnosis, formatExcerpt, formatStack } from './hints/format.ts';
export type { NeighbourValues } from './hints/value-findings.ts';
export { originText } from './hints/words.ts';
export { type JsonPath, parseJsonPath } from './jsonpath/parser.ts';
export { type JsonPathResult, printJsonPath } from './jsonpath/print.ts';
export { defaultLimits, type Limits } from './limits.ts';
export { folderOf, type LintFolder } from './lint/folder.ts';
export { type LintOptions, type LintResult, lint } from './lint/lint.ts';
export { formatLintMessage, type LintMessage, type LintSeverity } from './lint/message.ts';
export type { Chart, ChartFile, ChartTemplate } from './loader/chart.ts';
export { crdFiles } from './loader/crds.ts';
export { checkApiVersion } from './loader/dependencies.ts';
export { matchPath } from './loader/ignore.ts';
export { type LoadOptions, loadChart, readValues } from './loader/load.ts';
export { formatLock, helm2DigestInput, type Lock, type LockedDependency, lockDigestInput } from './loader/lock.ts';
export type { Dependency, Maintainer, Metadata } from './loader/metadata.ts';
export { formatMetadata, metadataJson } from './pack/metadata-document.ts';
export { type PackedChart, type PackOptions, packChart } from './pack/pack.ts';
export { writeTar } from './pack/tar.ts';
export { type ProfileName, profileOf } from './profile.ts';
export { asLogged } from './render/log.ts';
export { splitKeeping, splitTrimming } from './render/manifests.ts';
export { renderName } from './render/name-template.ts';
export { compareInstallOrder, hooksFor } from './render/order.ts';
export { formatTemplateOutput, type OutputOptions } from './render/output.ts';
export { render } from './render/render.ts';
export {
  findInIndex,
  type IndexEntry,
  maxIndexBytes,
  type RepositoryIndex,
  readRepositoryIndex,
  resolveChartUrl,
  sortVersions,
  versionTest,
} from './repository/index-file.ts';
export type { RenderTrace, TracedCall, TracedLine, TracedPart, TracedValue } from './trace/api.ts';
export { formatPath, type ValuePath } from './trace/paths.ts';
export type { ValueOrigin, ValueSource } from './trace/provenance.ts';
export { findUnused, type UnusedOptions, type UnusedValue } from './usage/unused.ts';
export { GoInt, type Value, type ValueMap } from './value/kinds.ts';
export { fromObject, toObject } from './value/objects.ts';
export { logValue } from './value/text.ts';
export { mergeMaps } from './values/merge.ts';
export { applySet, type SetKind, type SetOptions } from './values/set.ts';
export { ConversionError } from './yaml/values.ts';
