import { type Command, exitCodes } from '../../command.ts';
import { callJobVerb } from './call-job-verb.ts';

export const command: Command = {
  name: 'job build',
  summary: 'Build the image of this job from DOCKER_BUILDPATH, push it to quarantine and have it judged.',
  arguments: [],
  options: { env: { type: 'string', value: 'ENV', help: 'the environment whose rules the build keeps to' } },
  example: 'desp job build',
  notes: 'A pipeline job calls it, with the token that the platform gave it.',
  async run({ values, io }) {
    return (await callJobVerb(io, 'build', { environment: values['env'] ?? '' })) ? exitCodes.done : exitCodes.no;
  },
};
