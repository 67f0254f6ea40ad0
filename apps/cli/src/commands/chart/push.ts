import { existsSync, readFileSync, statSync } from 'node:fs';
import { loadChartFrom } from '@desp/chart/node';
import { connectionFlags, globalFlags } from './global-flags.ts';
import { HelmError, type HelmInvocation, type HelmVerb, registryOutput } from './helm-command.ts';
import { checkArchive } from './load.ts';
import { isOci, pushChart } from './remote/registry.ts';

const underscores = `
OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.`;

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  const [path = '', remote = ''] = flags.args;
  if (!isOci(remote)) throw new HelmError(`scheme prefix missing from remote (e.g. "oci://")`);
  const status = statSync(path, { throwIfNoEntry: false });
  if (!status) throw new HelmError(`${path}: no such file`);
  if (status.isDirectory()) throw new HelmError('cannot push directory, must provide chart archive (.tgz)');
  checkArchive(path);
  const { metadata } = loadChartFrom(path);
  const provenance = existsSync(`${path}.prov`) ? readFileSync(`${path}.prov`) : undefined;
  const { reference, digest } = await pushChart(
    remote,
    { metadata, archive: readFileSync(path), provenance, created: status.mtime },
    flags,
  );
  const { out } = registryOutput(helm, io);
  out(`Pushed: ${reference}\nDigest: ${digest}\n`);
  if (reference.slice(reference.lastIndexOf(':')).includes('_')) out(`${reference} contains an underscore.\n${underscores}\n`);
}

export const verb: HelmVerb = {
  flags: { ...globalFlags, ...connectionFlags },
  use: { path: 'push', line: 'push [chart] [remote] [flags]', least: 2 },
  run,
  help: `Upload a packed chart to a registry, with its provenance file where one lies beside it. Pushing it again changes nothing.

Usage:
  desp chart [--helm 3|4] push ARCHIVE oci://HOST/PROJECT [flags]

Example:
  desp chart push ./web-1.2.0.tgz oci://harbor.example.org/sample-app

      --username NAME   with --password-stdin; without: the login of helm registry login or docker login
      --plain-http      speak without encryption
      --ca-file FILE    trust the server's certificate by this one
`,
};
