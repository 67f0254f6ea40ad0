import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The console's bundle: files of our own only, nothing inline, so that the platform's strict content policy holds. */
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    // A preload polyfill would be an inline script in older browsers than the target.
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:7300' } },
});
