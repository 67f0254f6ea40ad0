import { request } from 'node:http';
import { CliError } from '../../cli-error.ts';
import type { Io } from '../../command.ts';

/**
 * Calls a verb of this job on the platform and prints what it tells, as it comes. Inside a job there is no network: the
 * platform is reached through the one socket that it put there. The answer is a stream of JSON lines: `{"log": "…"}` and, last,
 * `{"done": true|false}`; a stream that ends without a last line means no.
 */
export function callJobVerb(io: Io, verb: string, body: Readonly<Record<string, string>>): Promise<boolean> {
  const socketPath = io.env['DESP_JOB_SOCKET'];
  const token = io.env['DESP_JOB_TOKEN'] ?? io.env['CI_JOB_TOKEN'];
  if (!socketPath || !token) {
    throw new CliError('REFUSED', `desp job ${verb} runs inside a pipeline's job only.`, {
      kind: 'user',
      cure: 'Push a commit: the hosted templates call it.',
    });
  }
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new CliError('NOT_STARTED', 'The platform went away in the middle of this job.', { kind: 'upstream', retryable: true, cause }),
      );
    const call = request(
      {
        socketPath,
        path: `/job/${verb}`,
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
      (response) => {
        let rest = '';
        let done: boolean | undefined;
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines.filter(Boolean)) {
            const message = JSON.parse(line) as { log?: string; done?: boolean };
            if (message.log !== undefined) io.out(message.log);
            if (message.done !== undefined) done = message.done;
          }
        });
        response.on('error', fail);
        response.on('end', () => (done === undefined ? fail(undefined) : resolve(done)));
      },
    );
    call.on('error', fail);
    call.end(JSON.stringify(body));
  });
}
