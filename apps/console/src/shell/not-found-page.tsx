import { Link } from '@tanstack/react-router';
import { Empty } from '../ui/empty.tsx';
import { PageHeading } from '../ui/page-heading.tsx';

export function NotFoundPage() {
  return (
    <main className="page" id="content">
      <PageHeading title="Not found" />
      <Empty title="There is nothing at this address">
        <p>
          Go to the <Link to="/">deliveries</Link> or the <Link to="/services">services</Link>.
        </p>
      </Empty>
    </main>
  );
}
