import type { RenderResult } from '../api.ts';
import { trimSpace } from '../value/text.ts';

export interface OutputOptions {
  /** Leave hooks out: `--no-hooks`. */
  readonly noHooks?: boolean;
  /** Leave test hooks out: `--skip-tests`. */
  readonly skipTests?: boolean;
}

/** What `helm template` prints on standard output for a result. */
export function formatTemplateOutput(result: RenderResult, options: OutputOptions = {}): string {
  const documents = [...result.crds, ...result.manifests];
  const parts = documents.slice(0, -1).map(formatDocument);
  const last = documents.at(-1);
  // Only the last one's end shows; to trim them all together would copy every byte twice more.
  parts.push(`${last ? trimSpace(formatDocument(last)) : ''}\n`);
  if (!options.noHooks) {
    for (const hook of result.hooks) {
      if (!(options.skipTests && hook.events.includes('test'))) parts.push(formatDocument(hook));
    }
  }
  return parts.join('');
}

function formatDocument({ source, content }: { source: string; content: string }): string {
  return `---\n# Source: ${source}\n${content}\n`;
}
