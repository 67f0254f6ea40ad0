import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './api-error.ts';

const mostTries = 3;

/** Asks again only where asking again can help: not for what is forbidden, absent or wrong. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < mostTries && (!(error instanceof ApiError) || error.retryable),
    },
  },
});
