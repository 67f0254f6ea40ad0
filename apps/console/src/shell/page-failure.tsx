import type { ErrorComponentProps } from '@tanstack/react-router';
import { PageHeading } from '../ui/page-heading.tsx';
import { Problem } from '../ui/problem.tsx';

/** A fault of the console itself, or a part of it that could not be loaded (the platform was renewed meanwhile). */
export function PageFailure({ error }: ErrorComponentProps) {
  return (
    <main className="page" id="content">
      <PageHeading title="This page failed" />
      <Problem
        error={error instanceof Error ? error : new Error(String(error))}
        title="The console met a fault"
        onRetry={() => window.location.reload()}
      />
    </main>
  );
}
