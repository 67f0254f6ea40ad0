import type { GateReport } from '@desp/model';
import { CliError } from '../../cli-error.ts';
import { connect } from '../../client.ts';
import { type Command, exitCodes } from '../../command.ts';
import { jsonOption, show } from '../../listing.ts';
import { describeFinding } from './describe-finding.ts';
import { describeLimits } from './describe-limits.ts';

export const command: Command = {
  name: 'gate show',
  summary: "Show the gate's verdicts on an image: exit code 0 when every environment's verdict is pass, 1 when one is not.",
  arguments: ['IMAGE@DIGEST'],
  options: jsonOption,
  example: 'desp gate show sample-app/image-a@sha256:…',
  async run({ positionals: [reference = ''], flags, io }) {
    const at = reference.lastIndexOf('@');
    if (at < 1)
      throw new CliError('USAGE', `${reference} has no digest: the gate judges digests, never tags.`, {
        kind: 'user',
        cure: 'desp delivery show prints the digests that were built.',
      });
    const report = await connect(io).get<GateReport>(
      `/api/gate?repository=${encodeURIComponent(reference.slice(0, at))}&digest=${encodeURIComponent(reference.slice(at + 1))}`,
    );
    show(io, flags['json'], report, describe);
    return report.verdicts.every((verdict) => verdict.outcome === 'pass') ? exitCodes.done : exitCodes.no;
  },
};

function describe(report: GateReport): string {
  const parts = [`${report.repository}@${report.digest}\n${report.packages} packages known\n`];
  for (const { environment, outcome, judgedAt, verdict } of report.verdicts) {
    const dates = verdict.advisories.databases.map(
      (database) => `${database.name} of ${database.date.slice(0, 10)} (${database.records} records)`,
    );
    parts.push(`\n${environment}: ${outcome}, judged ${judgedAt}, advisories: ${dates.join(', ') || 'none'}\n`);
    if (verdict.policy.limits) parts.push(describeLimits(verdict.policy.limits));
    parts.push(...verdict.reasons.map((reason) => `  ${reason}\n`));
    parts.push(...verdict.findings.filter((finding) => finding.blocks).map(describeFinding));
    if (verdict.notAssessed.length)
      parts.push('  nobody assessed:\n', ...verdict.notAssessed.map(({ what, why }) => `    ${what}: ${why}\n`));
  }
  return parts.join('');
}
