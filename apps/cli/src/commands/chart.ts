import { CliError } from '../cli-error.ts';
import type { RawCommand } from '../command.ts';
import type { HelmVerb } from './chart/helm-command.ts';

const usage = `desp chart works on Helm charts in Helm's own words, flags, output and exit codes, without Helm.

Usage: desp chart [--helm 3|4] VERB [arguments] [Helm's flags]

Verbs, and an example of each:
  template    render a chart, byte for byte as Helm does, offline
              desp chart template app ./deployment/ -f ./deployment/values.e2e.yaml
  explain     say where a line of the output, or a value, comes from
              desp chart explain app ./deployment/ --line 12
  lint        examine a chart for possible faults
              desp chart lint ./deployment/ --strict
  show        print what a chart says of itself: chart, values, readme, crds, all
              desp chart show values ./deployment/
  package     pack a chart into an archive, and sign it
              desp chart package ./deployment/ --destination ./out
  verify      check an archive against its provenance file
              desp chart verify ./out/app-1.0.0.tgz --keyring ./pubring.gpg
  dependency  list, build or update what charts/ holds
              desp chart dependency build ./deployment/
  pull        download a chart from a repository or a registry
              desp chart pull oci://harbor.example.org/sample-app/app --version '^1.0' --untar
  push        upload a packed chart to a registry
              desp chart push ./out/app-1.0.0.tgz oci://harbor.example.org/sample-app

--helm says which Helm to be: 4 (the default: 4.3) or 3 (3.22).
A password never belongs among the arguments: --password-stdin reads it, or log in with Helm or Docker.
More: desp chart VERB --help
`;

/** Each verb is loaded only when it is called: a cold start counts. */
const verbs: Readonly<Record<string, () => Promise<HelmVerb>>> = {
  template: async () => (await import('./chart/template.ts')).verb,
  explain: async () => (await import('./chart/explain.ts')).verb,
  lint: async () => (await import('./chart/lint.ts')).verb,
  show: async () => (await import('./chart/show.ts')).verb,
  inspect: async () => (await import('./chart/show.ts')).verb,
  package: async () => (await import('./chart/package.ts')).verb,
  verify: async () => (await import('./chart/verify.ts')).verb,
  dependency: async () => (await import('./chart/dependency.ts')).verb,
  dep: async () => (await import('./chart/dependency.ts')).verb,
  dependencies: async () => (await import('./chart/dependency.ts')).verb,
  pull: async () => (await import('./chart/pull.ts')).verb,
  fetch: async () => (await import('./chart/pull.ts')).verb,
  push: async () => (await import('./chart/push.ts')).verb,
};

/** Helm's own flags and words: this command reads its arguments itself. */
export const command: RawCommand = {
  name: 'chart',
  summary: 'Work on Helm charts as Helm does, without Helm',
  async runRaw(argv, io) {
    if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h') {
      io.out(usage);
      return 0;
    }
    const { reportFailure, runVerb, takeVerb } = await import('./chart/helm-command.ts');
    const { globalFlags } = await import('./chart/global-flags.ts');
    // Helm's flags may stand before its verb, as in the procedure's `helm -n my-namespace template`.
    const takesValue = (word: string): boolean =>
      Object.entries(globalFlags).some(([name, { kind, short }]) => kind !== 'bool' && (word === `--${name}` || word === `-${short}`));
    let taken: ReturnType<typeof takeVerb>;
    try {
      taken = takeVerb(argv, takesValue);
    } catch (error) {
      return reportFailure(error, io);
    }
    const load = taken.verb === undefined ? undefined : Object.hasOwn(verbs, taken.verb) && verbs[taken.verb];
    if (!load) {
      const known = Object.keys(verbs).filter((name) => !['inspect', 'dep', 'dependencies', 'fetch'].includes(name));
      const cure = 'desp chart --help';
      throw new CliError('USAGE', `desp chart knows ${known.join(', ')}; not ${taken.verb ?? 'nothing'}.`, { kind: 'user', cure });
    }
    return runVerb(await load(), taken.helm, taken.rest, io);
  },
};
