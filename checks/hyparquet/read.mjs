// Reads Parquet files with hyparquet, a reader that shares no code with Arrow or DuckDB,
// and prints what it sees, a line of JSON for each file.
//
//   node read.mjs FILE...
//
// JSON has no form for integers beyond 2^53 and for what is no number: they are written
// as {"int": "..."} and {"float": "..."}.
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

function exact(_, value) {
  if (typeof value === 'bigint') return { int: value.toString() }
  if (typeof value === 'number' && !Number.isFinite(value)) return { float: String(value) }
  if (value === undefined) return null
  return value
}

for (const path of process.argv.slice(2)) {
  const file = await asyncBufferFromFile(path)
  const metadata = await parquetMetadataAsync(file)
  const rows = await parquetReadObjects({ file, metadata, compressors })
  const stored = Object.fromEntries(metadata.key_value_metadata.map(({ key, value }) => [key, value]))
  delete stored['ARROW:schema']
  console.log(JSON.stringify({ path, created_by: metadata.created_by, stored, schema: metadata.schema, rows }, exact))
}
