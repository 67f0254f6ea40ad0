import { expect, test } from 'vitest';
import { localPath } from './local-path.ts';

test.each(['/', '/deliveries/d-1?stop=gate'])('keeps %s', (path) => expect(localPath(path)).toBe(path));
test.each(['//example.org/', '/\\example.org', 'https://example.org', 'javascript:alert(1)', '/\t/example.org', '', undefined, 7])(
  'refuses %s',
  (path) => expect(localPath(path)).toBeUndefined(),
);
