/** Cuts a stream of YAML documents at lines that start with `---`, as Kubernetes' YAML reader does. */
export function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let current: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('---') && /^---\s*$/.test(line)) {
      if (current.length > 0) documents.push(`${current.join('\n')}\n`);
      current = [];
    } else current.push(line);
  }
  if (current.some((line) => line !== '')) documents.push(current.join('\n'));
  return documents;
}
