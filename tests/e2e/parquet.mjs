// Reads slices with a Parquet reader that shares nothing with the program (hyparquet, JavaScript).
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadata, parquetRead } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

const DECIMAL_SCALE = 12;

/** Two's complement, most significant byte first: how Parquet keeps DECIMAL(38,12). */
function fromBytes(bytes) {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return bytes.length && bytes[0] & 0x80 ? value - (1n << BigInt(8 * bytes.length)) : value;
}

/** Rows and the exact sum of one money column of a file, as a count of 1e-12. */
export async function sumOfFile(path, column) {
  const bytes = await readFile(path);
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const metadata = parquetMetadata(file);
  const element = metadata.schema.find((e) => e.name === column);
  if (!element) throw new Error(`${path} has no column ${column}`);
  if (element.scale !== DECIMAL_SCALE)
    throw new Error(`${path}: ${column} has scale ${element.scale}`);
  // The reader turns decimals into doubles; without their type it hands over the bytes, which are exact.
  delete element.converted_type;
  delete element.logical_type;
  let sum = 0n;
  let rows = 0;
  await parquetRead({
    file,
    metadata,
    columns: [column],
    compressors,
    utf8: false,
    onComplete: (data) => {
      for (const [value] of data) {
        rows++;
        if (value !== null && value !== undefined)
          sum +=
            typeof value === 'bigint' || typeof value === 'number'
              ? BigInt(value)
              : fromBytes(value);
      }
    },
  });
  return { rows, sum };
}

/** The charges of a slice: all of its part files. */
export async function sumOfSlice(home, slice, column) {
  const dir = join(home, 'slices', slice.source, slice.period, slice.id);
  const parts = (await readdir(dir)).filter((name) => /^part-.*\.parquet$/.test(name)).sort();
  let rows = 0;
  let sum = 0n;
  for (const part of parts) {
    const one = await sumOfFile(join(dir, part), column);
    rows += one.rows;
    sum += one.sum;
  }
  return { rows, sum, parts: parts.length };
}
