/** What can show that a requirement is met. */
export type EvidenceKind =
  /** The files of the repository. */
  | 'source'
  /** The manifests that the charts render. */
  | 'manifests'
  /** The built image, its packages and findings. */
  | 'image'
  /** The running service. */
  | 'running'
  /** A signed statement of a named role: no machine can tell. */
  | 'statement';

/** One DESP-DEV entry of Annex 3, or one SHALL of the procedure's chapters (`SHALL-section.n`), in our words. */
export interface Requirement {
  readonly id: string;
  readonly text: string;
  readonly evidence: EvidenceKind;
}

const of =
  (evidence: EvidenceKind) =>
  (id: string, text: string): Requirement => ({ id, text, evidence });
const [source, manifests, image, running, statement] = [of('source'), of('manifests'), of('image'), of('running'), of('statement')];

export const requirements: readonly Requirement[] = [
  manifests('DESP-DEV-001', 'The service runs in a namespace of its own, named by the convention.'),
  manifests('DESP-DEV-002', 'All configuration stands in Helm values files and reaches containers by ConfigMaps or environment variables.'),
  source('DESP-DEV-003', 'Committed source holds no logins, passwords, API keys or secret keys.'),
  statement('DESP-DEV-004', 'Nothing that changes with the environment is hard-coded.'),
  statement('DESP-DEV-005', 'Containers are designed to be stateless.'),
  manifests('DESP-DEV-006', 'The service runs on Kubernetes from v1.23.6 on.'),
  source('DESP-DEV-007', 'The service deploys with Helm; templates and values files are delivered.'),
  manifests('DESP-DEV-008', 'The service supports replicas and horizontal autoscaling.'),
  source('DESP-DEV-009', 'The chart that deploys the service is delivered; nothing but Helm deploys it.'),
  manifests('DESP-DEV-010', 'Every service has a liveness probe.'),
  manifests('DESP-DEV-011', 'Every service has a health (readiness) probe.'),
  statement('DESP-DEV-013', 'Design and implementation are stateless.'),
  statement('DESP-DEV-014', 'The service uses an applicative account with a generic operations address.'),
  manifests('DESP-DEV-015', 'Deployment takes its settings from an environment variable configuration.'),
  running('DESP-DEV-016', 'All logs go to standard output and standard error.'),
  statement('DESP-DEV-017', 'The provider uses the development infrastructure and tools of the customer.'),
  running('DESP-DEV-018', 'Logs and events reach the central log server within five minutes.'),
  manifests('DESP-DEV-033', 'The deployed application pulls images from the private project registry only.'),
  source('DESP-DEV-034', 'The source of every image can be set in the values.'),
  manifests('DESP-DEV-035', "Confidential data comes from Kubernetes Secrets or Vault annotations, filled by the customer's Vault."),
  source('DESP-DEV-036', 'Dockerfiles and dependencies of every deployed image are delivered.'),
  image('DESP-DEV-037', 'The service passes the DevSecOps analysis.'),
  statement('DESP-DEV-040', 'Applications are integrated by a Git flow of tags, branches and merges.'),
  statement('DESP-DEV-042', 'Development follows the coding rules of the customer.'),
  statement('DESP-DEV-043', 'Automatic tests with data cover the requirements.'),
  statement('DESP-DEV-045', 'The development and deployment rules apply, as they evolve.'),
  manifests('DESP-DEV-046', 'CPU, memory and storage that each service needs are declared.'),
  manifests('DESP-DEV-049', 'Actions before and after installation are init containers or Helm hooks.'),
  source('DESP-DEV-050', 'Images and charts are deployed by jobs that extend the GitLab CI templates of the platform.'),
  image('DESP-DEV-051', 'Assets pass the security scans; every HIGH or CRITICAL CVE is fixed or accepted by the security officer.'),
  image('SHALL-3.1', 'Images with a CVE scored above 7 are rejected.'),
  statement('SHALL-3.2', 'Where code checks are impossible, the provider hands in a compliance document and its own SAST report.'),
  statement('SHALL-3.3', 'Verification evidence is handed in before verification starts.'),
  source('SHALL-3.2.1', 'The repository has images/, deployment/, .gitlab-ci.yml and a readme.'),
  source('SHALL-3.2.2', 'deployment/ has the chart, fleet.yaml, values files per environment and a readme.'),
  source('SHALL-3.3.1', 'Images are named <service>/<path>:<version> in the project of the service.'),
  statement('SHALL-3.4.1', 'Every user has a personal account of their own.'),
  source('SHALL-3.6.1', 'fleet.yaml beside the chart says which cluster gets which values.'),
  manifests('SHALL-3.6.2', 'The pull secret comes from an ExternalSecret over a SecretStore.'),
  manifests('SHALL-3.6.4', 'The recommended labels of Helm charts are present.'),
  manifests('SHALL-3.6.5.1', 'Every public host name ends in the domain of the platform.'),
  manifests('SHALL-3.6.5.2', 'Ingress certificates come from letsencrypt-prod, with a TLS block that names host and Secret.'),
  source('SHALL-3.6.6', 'Passwords and keys are not stored in the source.'),
  manifests('SHALL-4.1', 'Volumes use the storage classes of the platform, with access modes that they support.'),
  running('SHALL-5.2.1', 'End-to-end scenarios over several services are run before production.'),
  statement('SHALL-5.2.2', 'Every problem is a problem report that a board reviews.'),
  statement('SHALL-5.2.3', 'Release notes list the solved and known problem reports.'),
  source('SHALL-5.2.4', 'Every delivery has a Git tag.'),
];
