import { resolve } from 'node:path';
import { Digest, instantOf } from '@desp/model';
import { openImageArchive } from '@desp/oci';
import { profileNamed } from '@desp/procedure';
import { AdvisorySet, assessImage, layerOf, policyFor, rehearsalAdvisories } from '@desp/security';
import { CliError } from '../../cli-error.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeFinding } from './describe-finding.ts';
import { describeLimits } from './describe-limits.ts';

export const command: Command = {
  name: 'gate judge',
  summary: 'Judge an image archive as the gate would: exit code 0 for pass, 1 for no. Needs no server, no root, no network.',
  arguments: ['ARCHIVE'],
  options: {
    env: { type: 'string', value: 'ENV', help: "whose policy (default: the profile's first environment)" },
    profile: { type: 'string', value: 'PROFILE', help: 'procedure-2023 (default) or observed-2025' },
    ...jsonOption,
  },
  example: 'podman save --format oci-archive -o image.tar my-image && desp gate judge image.tar',
  notes:
    'ARCHIVE is an OCI layout folder, an OCI archive or a docker archive. The verdict is not signed: only the platform signs. The advisories are the dated set that comes with desp.',
  async run({ positionals: [file = ''], values, flags, io }) {
    const profile = profileNamed((values['profile'] ?? 'procedure-2023') as 'procedure-2023');
    const environment = profile.environments.find(({ name }) => name === (values['env'] ?? profile.environments[0]?.name));
    if (!environment)
      throw new CliError('USAGE', `The profile ${profile.name} has no environment ${values['env']}.`, {
        kind: 'user',
        cure: `It has ${profile.environments.map(({ name }) => name).join(', ')}.`,
      });
    const policy = policyFor(profile, environment);
    const archive = await openImageArchive(resolve(io.cwd, file));
    try {
      const digest = Digest.parse(archive.manifest.digest);
      const { verdict } = await assessImage(
        {
          digest,
          config: JSON.parse(archive.config.bytes.toString('utf8')),
          layers: archive.layers.map(({ descriptor, open }) =>
            layerOf({ digest: descriptor.digest, mediaType: descriptor.mediaType, open }),
          ),
        },
        {
          subject: { name: file, digest },
          advisories: new AdvisorySet(rehearsalAdvisories()),
          policy,
          now: instantOf(new Date()),
        },
      );
      show(
        io,
        flags['json'],
        verdict,
        (one) =>
          `${file}@${digest}\n${environment.name}: ${one.outcome}\n${describeLimits(policy)}${one.reasons.map((reason) => `  ${reason}\n`).join('')}${one.findings
            .filter((finding) => finding.blocks)
            .map(describeFinding)
            .join('')}`,
      );
      return verdict.outcome === 'pass' ? exitCodes.done : exitCodes.no;
    } finally {
      await archive.close();
    }
  },
};
