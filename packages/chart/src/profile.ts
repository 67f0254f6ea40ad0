/**
 * Everything in which the two Helms that we can be differ, as named switches. Code asks a switch, never a version.
 * Measured against Helm 3.22.0 and Helm 4.3.1; issue numbers are helm/helm's.
 */
export type ProfileName = 'helm3' | 'helm4';

export interface Profile {
  readonly name: ProfileName;
  /** How `typeOf .Values` reads. */
  readonly valuesType: string;
  /** `.Chart` is a map with Go's field names; before, a struct: an unknown field fails (#31414). */
  readonly chartIsMap: boolean;
  /** Template errors are split over indented lines (#13586). */
  readonly indentedErrors: boolean;
  /** Nulls in a chart's own values are dropped, not kept as keys (#32530). */
  readonly dropChartNulls: boolean;
  /** Charts of an `apiVersion` other than v1 and v2 are refused; before, they were taken for v2. */
  readonly checksApiVersion: boolean;
  /** A chart that stands in for several dependencies has the same subcharts under each of its names. */
  readonly aliasesShareSubcharts: boolean;
  /** Failures of dependencies are logged, and say so (#31414). */
  readonly namesDependencyFailures: boolean;
  /** Documents keep their trailing white space, so a blank line stands before `---` (#32565, #32580). */
  readonly keepTrailingSpace: boolean;
  /** Webhook configurations have a fixed place after APIService; before, they are unknown kinds. */
  readonly orderWebhooks: boolean;
  /** A values file may hold several documents, merged in order (#31087). */
  readonly multiDocumentValues: boolean;
  /** `.Capabilities.KubeVersion.Version` keeps a vendor's suffix (#31063). */
  readonly keepKubeVersionSuffix: boolean;
  /** `--set-json` takes a whole object, not only `key=value`. */
  readonly setJsonObject: boolean;
  /** `--set 'a[0'`, an index without its end, is the end of the text, not an error: the error is wrapped, and looked for in what wraps it. */
  readonly openIndexEnds: boolean;
  /** Knows the duration functions, `mustToYaml` and `mustToToml`. */
  readonly hasDurations: boolean;
  /** Lint warns of unknown keys in Chart.yaml and of loose versions, wants templates/, and looks at crds/. */
  readonly lintsStrictly: boolean;
  /** Lint warns of what Helm 2 had, and takes no `.yml` for YAML. */
  readonly lintsHelm2: boolean;
  /** Kubernetes version that Helm built from its module takes for granted. */
  readonly defaultKubeVersion: string;
  readonly helmVersion: string;
  readonly goVersion: string;
}

const helm4: Profile = {
  name: 'helm4',
  valuesType: 'common.Values',
  chartIsMap: true,
  indentedErrors: true,
  dropChartNulls: true,
  checksApiVersion: true,
  aliasesShareSubcharts: false,
  namesDependencyFailures: true,
  keepTrailingSpace: true,
  orderWebhooks: true,
  multiDocumentValues: true,
  keepKubeVersionSuffix: true,
  setJsonObject: true,
  openIndexEnds: true,
  hasDurations: true,
  lintsStrictly: true,
  lintsHelm2: false,
  defaultKubeVersion: 'v1.37.0',
  helmVersion: 'v4.3',
  goVersion: 'go1.26.8',
};

const helm3: Profile = {
  name: 'helm3',
  valuesType: 'chartutil.Values',
  chartIsMap: false,
  indentedErrors: false,
  dropChartNulls: false,
  checksApiVersion: false,
  aliasesShareSubcharts: true,
  namesDependencyFailures: false,
  keepTrailingSpace: false,
  orderWebhooks: false,
  multiDocumentValues: false,
  keepKubeVersionSuffix: false,
  setJsonObject: false,
  openIndexEnds: false,
  hasDurations: false,
  lintsStrictly: false,
  lintsHelm2: true,
  defaultKubeVersion: 'v1.20.0',
  helmVersion: 'v3.22',
  goVersion: 'go1.26.8',
};

const profiles: Readonly<Record<ProfileName, Profile>> = { helm3, helm4 };

export function profileOf(name: ProfileName): Profile {
  return profiles[name];
}
