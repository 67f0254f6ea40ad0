import type { ReleaseDetail } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';

export const command: Command = {
  name: 'release show',
  summary: 'Show one release: images by digest, verdicts, what nobody assessed, where it runs.',
  arguments: ['SERVICE', 'VERSION'],
  options: jsonOption,
  example: 'desp release show sample-app 1.0.1',
  async run({ positionals: [service = '', version = ''], flags, io }) {
    const release = await connect(io).get<ReleaseDetail>(`/api/releases/${encodeURIComponent(service)}/${encodeURIComponent(version)}`);
    show(io, flags['json'], release, (one) =>
      [
        `${one.service} ${one.version}  commit ${one.commit}  delivery ${one.delivery}`,
        ...one.images.map((image) => `image      ${image.repository}:${image.tag}@${image.digest}  ${image.outcome} ${image.judgedAt}`),
        ...one.manifests.map((manifest) => `manifests  ${manifest.environment} ${manifest.digest}`),
        ...one.deployments.map((on) => `deployed   ${on.environment} ${on.state}: ${on.reason}`),
        ...one.notAssessed.map(({ what, why }) => `unassessed ${what}: ${why}`),
        '',
      ].join('\n'),
    );
    return exitCodes.done;
  },
};
