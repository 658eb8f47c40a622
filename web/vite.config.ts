import { defineConfig } from 'vitest/config';

// `npm run dev` shows the page as it is edited, with the answers of a running `flyball serve`.
const api = process.env['FLYBALL_API'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // The server takes requests for its own name and from its own page only.
  server: { proxy: { '/api': { target: api, changeOrigin: true, headers: { origin: api } } } },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  // The names of the built files carry no hash: the server embeds them and answers with an ETag.
  build: {
    target: ['chrome107', 'firefox104', 'safari16'],
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        assetFileNames: (asset) =>
          asset.names.some((n) => n.endsWith('.css')) ? 'app.css' : '[name][extname]',
      },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
