export { checkRepository, requirementStatus } from './check-repository.ts';
export type { Check } from './checks/check.ts';
export { checks } from './checks/index.ts';
export { ProcedureError, type ProcedureErrorCode } from './errors.ts';
export { profileNamed, profiles } from './profiles/index.ts';
export {
  type AccessMode,
  Profile,
  type ProfileEnvironment,
  type ProfileName,
  parseProfile,
  type StorageClass,
} from './profiles/profile.ts';
export type { Finding, Report } from './report.ts';
export type { RepositoryEntry } from './repository.ts';
export { type EvidenceKind, type Requirement, requirements } from './requirements/requirements.ts';
export type { RenderChart, RenderedObject, RenderInput, ScanSecrets, SubjectInput } from './subject.ts';
