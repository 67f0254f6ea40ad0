import { knownRepository, type RegistryContext } from './context.ts';
import { type Exchange, pageSize, sendJson } from './wire.ts';

/** Entries of a page when the client names no number, and the most it may ask for. */
const largestPage = 1000;

/** end-8a, end-8b: tags in byte order, `n` and `last`, Link to the next page. */
export async function serveTags(context: RegistryContext, exchange: Exchange, name: string): Promise<void> {
  await context.gate.demand(exchange, name, 'pull');
  const repository = knownRepository(context, name);
  const { page, link } = cut(exchange, (last, limit) => context.metadata.tags(repository.id, last, limit));
  sendJson(exchange, 200, { name, tags: page }, link ? { link: `</v2/${name}/tags/list?${link}>; rel="next"` } : {});
}

/** `GET /v2/_catalog`: the repositories that the caller may pull from, and no others. */
export async function serveCatalog(context: RegistryContext, exchange: Exchange): Promise<void> {
  const caller = await context.gate.demandAnybody(exchange, 'registry:catalog:*');
  const visible = context.metadata
    .repositories(context.options.name)
    .filter(({ project }) => context.gate.mayDo(caller.principal, project, 'pull'))
    .map(({ name }) => name);
  const { page, link } = cut(exchange, (last, limit) => visible.filter((name) => name > last).slice(0, limit));
  sendJson(exchange, 200, { repositories: page }, link ? { link: `</v2/_catalog?${link}>; rel="next"` } : {});
}

function cut(exchange: Exchange, list: (last: string, limit: number) => string[]): { page: string[]; link: string | undefined } {
  const n = Math.min(pageSize(exchange.query) ?? largestPage, largestPage);
  const names = list(exchange.query.get('last') ?? '', n + 1);
  const page = names.slice(0, n);
  const last = page.at(-1);
  const more = names.length > n && last !== undefined;
  return { page, link: more ? new URLSearchParams({ n: String(n), last }).toString() : undefined };
}
