import { type Command, exitCodes } from '../../command.ts';
import { callJobVerb } from './call-job-verb.ts';

export const command: Command = {
  name: 'job release',
  summary: 'Release the images of this job to an environment, when the gate says pass.',
  arguments: [],
  options: { env: { type: 'string', value: 'ENV', help: 'the environment to release to' } },
  example: 'desp job release --env e2e',
  notes: 'A pipeline job calls it, with the token that the platform gave it.',
  async run({ values, io }) {
    return (await callJobVerb(io, 'release', { environment: values['env'] ?? '' })) ? exitCodes.done : exitCodes.no;
  },
};
