import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Serves synthetic.html for work on the page; no part of what is built. */
export default defineConfig({
  root: import.meta.dirname,
  server: { host: '127.0.0.1', port: 5199 },
  plugins: [react()],
});
