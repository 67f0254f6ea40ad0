import type { Delivery, JobLog } from '@desp/model';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption } from '../../listing.ts';

export const command: Command = {
  name: 'delivery logs',
  summary: "Print a job's log, or all jobs' logs.",
  arguments: ['ID', '[JOB]'],
  options: jsonOption,
  example: 'desp delivery logs d-1 build-image-a',
  async run({ positionals: [id = '', job], flags, io }) {
    const client = connect(io);
    const jobs = job ? [job] : (await client.get<Delivery>(`/api/deliveries/${encodeURIComponent(id)}`)).jobs.map(({ name }) => name);
    const logs: JobLog[] = [];
    for (const name of jobs)
      logs.push(await client.get<JobLog>(`/api/deliveries/${encodeURIComponent(id)}/jobs/${encodeURIComponent(name)}/log`));
    if (flags['json']) io.out(`${JSON.stringify({ logs }, null, 2)}\n`);
    else for (const log of logs) io.out(`${job ? '' : `── ${log.job}\n`}${log.text}${log.text.endsWith('\n') || !log.text ? '' : '\n'}`);
    return exitCodes.done;
  },
};
