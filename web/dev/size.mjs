// Fails the build when the page outgrows its budget: JavaScript and CSS together, compressed.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const budget = 130 * 1024;
const dist = new URL('../dist/', import.meta.url);
let sum = 0;
for (const name of readdirSync(dist)) {
  if (!/\.(js|css)$/.test(name)) continue;
  const bytes = gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
  sum += bytes;
  console.log(`${name.padEnd(12)} ${(bytes / 1024).toFixed(1)} kB gzip`);
}
console.log(`together     ${(sum / 1024).toFixed(1)} kB gzip of ${budget / 1024}`);
if (sum > budget) {
  console.error(
    'The page is over its budget: find what grew (vite build --sourcemap) and take it out.',
  );
  process.exit(1);
}
