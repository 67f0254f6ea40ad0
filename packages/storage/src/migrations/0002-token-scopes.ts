/** Personal tokens are good where they say; those of before keep what they were made for. */
export const tokenScopes = {
  name: '0002-token-scopes',
  sql: `
alter table tokens add column scopes jsonb not null default '[]';
update tokens set scopes = '["api", "git", "registry"]' where kind = 'personal' and title not like 'kubeconfig %';
update tokens set scopes = jsonb_build_array('kubernetes:' || substr(title, 12)) where kind = 'personal' and title like 'kubeconfig %';
`,
};
