import { defineConfig } from 'vitest/config';
import { mockApi } from './dev/mock';

const api = process.env['FLYBALL_API']; // develop against a real server: FLYBALL_API=http://127.0.0.1:8080 npm run dev

export default defineConfig({
  ...(api ? { server: { proxy: { '/api': api } } } : {}),
  plugins: [mockApi()],
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
