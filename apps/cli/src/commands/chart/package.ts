import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ChartError, checkApiVersion, type ProfileName, profileOf } from '@desp/chart';
import { openProvenance, saveChart, writeWhole } from '@desp/chart/node';
import { registerSecret } from '@desp/runtime';
import type { Flags } from './flags.ts';
import { connectionFlags, globalFlags } from './global-flags.ts';
import { HelmError, type HelmInvocation, type HelmVerb } from './helm-command.ts';
import { loadForVerb } from './load.ts';
import { defaultKeyring } from './verify.ts';

const text = { kind: 'text' } as const;

async function run({ helm, flags, io }: HelmInvocation): Promise<void> {
  if (flags.args.length === 0) throw new HelmError('need at least one argument, the path to the chart');
  const key = flags.text('key');
  if (flags.isOn('sign') && !key) throw new HelmError('--key is required for signing a package');
  const passphrase = passphraseReader(flags);
  for (const path of flags.args) {
    checkFolder(path, helm);
    if (flags.isOn('dependency-update')) {
      const { updateDependencies } = await import('./remote/update-dependencies.ts');
      await updateDependencies(path, helm, flags, { ...io, out: () => {} });
    }
    const chart = loadForVerb(path, helm, io, true);
    checkApiVersion(chart, profileOf(helm));
    const destination = flags.text('destination') ?? '.';
    const folder = destination === '.' ? process.cwd() : join(destination);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === false)
      throw new HelmError(`failed to save: is not a directory: ${folder}`);
    const saved = saveChart(chart, folder, {
      version: flags.text('version') ?? '',
      appVersion: flags.text('app-version') ?? '',
      ...sourceTime(),
    });
    if (flags.isOn('sign')) {
      const { signArchive } = await openProvenance();
      const provenance = await signArchive({
        archive: saved.data,
        fileName: basename(saved.path),
        metadata: saved.packed.metadata,
        keyring: flags.text('keyring') ?? defaultKeyring(helm),
        signer: key as string,
        passphrase,
      });
      writeWhole(`${saved.path}.prov`, provenance);
    }
    io.out(`Successfully packaged chart and saved it to: ${saved.path}\n`);
  }
}

/** Only unpacked charts are packed. */
function checkFolder(path: string, helm: ProfileName): void {
  if (statSync(path).isDirectory()) return;
  const chartYaml = resolve(path, 'Chart.yaml');
  throw new HelmError(
    helm === 'helm3' ? 'Chart.yaml file is missing' : `unable to detect chart at ${chartYaml}: open ${chartYaml}: not a directory`,
  );
}

/** SOURCE_DATE_EPOCH (reproducible-builds.org), which Helm 4 follows too. */
function sourceTime(): { time?: number } {
  const value = process.env['SOURCE_DATE_EPOCH'];
  if (!value) return {};
  if (!/^\d{1,11}$/.test(value)) throw new HelmError(`invalid SOURCE_DATE_EPOCH ${JSON.stringify(value)}: it must be seconds since 1970`);
  return { time: Number(value) };
}

const maxPassphraseBytes = 64 * 1024;

/** The first line of `--passphrase-file`, read once; `-` is standard input. A terminal is never asked: pipes must not hang. */
function passphraseReader(flags: Flags): (keyName: string) => Promise<string> {
  let known: string | undefined;
  return async (keyName) => {
    const file = flags.text('passphrase-file');
    if (!file)
      throw new ChartError(
        'SIGNATURE_INVALID',
        `the key ${JSON.stringify(keyName)} is locked: give its passphrase with --passphrase-file FILE, or - for standard input`,
      );
    if (known === undefined) {
      if (file !== '-' && statSync(resolve(file)).size > maxPassphraseBytes)
        throw new HelmError(`${file} is too large for a passphrase file`);
      known = readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/)[0] ?? '';
      registerSecret(known);
    }
    return known;
  };
}

export const verb: HelmVerb = {
  flags: {
    ...globalFlags,
    ...connectionFlags,
    'app-version': text,
    'dependency-update': { kind: 'bool', short: 'u' },
    destination: { kind: 'text', short: 'd' },
    key: text,
    keyring: text,
    'passphrase-file': text,
    sign: { kind: 'bool' },
    version: text,
  },
  use: { path: 'package', line: 'package [CHART_PATH] [...] [flags]' },
  run,
  help: `Pack charts into archives that Helm and any repository take. Packing the same chart again gives the same archive.

Usage:
  desp chart [--helm 3|4] package PATH… [flags]

Example:
  desp chart package ./deployment/ --version 1.2.0 --destination ./out
  desp chart package ./deployment/ --sign --key 'Release Team' --keyring ./secring.gpg --passphrase-file ./passphrase

  -d, --destination DIR       where the archive goes; default: here
      --version V             instead of the chart's version
      --app-version V         instead of the chart's appVersion
  -u, --dependency-update     fetch dependencies into charts/ first
      --sign                  write a provenance file beside it
      --key NAME              whose key signs: a name, or part of one
      --keyring FILE          with the secret key: gpg --export-secret-keys > secring.gpg
      --passphrase-file FILE  first line unlocks the key; - reads standard input
`,
};
