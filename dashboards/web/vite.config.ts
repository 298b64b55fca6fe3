import { defineConfig } from 'vite';

const service = process.env['TIDEWATCH_URL'] ?? 'http://127.0.0.1:8080';
const proxy = { target: service, changeOrigin: true };

export default defineConfig({
  base: './',
  build: {
    // The Go package embeds this folder; public/.gitkeep is copied into it, so
    // that a build leaves the committed file in place.
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined files would need exceptions in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  server: { proxy: { '/api': proxy, '/v1': proxy } },
});
