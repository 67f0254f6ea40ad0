import { useDocumentTitle } from '@mantine/hooks';
import { useEffect, useRef } from 'react';

let first = true;

/** A page's title, on the page and on the tab. After a step inside the console it takes the focus, so that a screen reader reads on here. */
export function PageHeading({ title, children }: { title: string; children?: React.ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useDocumentTitle(`${title} · DESP`);
  useEffect(() => {
    if (!first) heading.current?.focus({ preventScroll: true });
    first = false;
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
