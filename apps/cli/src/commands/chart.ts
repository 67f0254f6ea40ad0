import { CliError } from '../cli-error.ts';
import type { RawCommand } from '../command.ts';

const usage = `desp chart template renders a chart as \`helm template\` does, byte for byte.

Usage: desp chart [--helm 3|4] template NAME CHART [Helm's flags]

Example:
  desp chart template app ./deployment/ -f ./deployment/values.e2e.yaml
`;

/** Helm's own flags and words: this command reads its arguments itself. */
export const command: RawCommand = {
  name: 'chart',
  summary: 'Render a chart as Helm does, offline',
  async runRaw(argv, io) {
    if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h') {
      io.out(usage);
      return 0;
    }
    const { templateFlags } = await import('./chart/template-flags.ts');
    const takesValue = (word: string) =>
      word === '--helm' ||
      Object.entries(templateFlags).some(([name, { kind, short }]) => kind !== 'bool' && (word === `--${name}` || word === `-${short}`));
    // Helm's flags may stand before its verb, as in the procedure's `helm -n my-namespace template`.
    const verb = argv.find((word, index) => !word.startsWith('-') && !takesValue(argv[index - 1] ?? ''));
    if (verb !== 'template')
      throw new CliError('USAGE', `desp chart knows template, not ${verb ?? 'nothing'}.`, { kind: 'user', cure: 'desp chart --help' });
    const { chartTemplateCommand } = await import('./chart/template.ts');
    return chartTemplateCommand(argv, io);
  },
};
