/**
 * copy.mjs FROM TO DONE: copies a tree of files as rsync does, leaving out what is there already. The name of each file
 * that was closed without an error is added to the file DONE: from then on it must not get lost.
 */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [from, to, done] = process.argv.slice(2);

function isThere(path, contents) {
  try {
    return readFileSync(path).equals(contents);
  } catch {
    return false;
  }
}

const names = readdirSync(from, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1));
const made = new Set();
for (const name of names) {
  const contents = readFileSync(join(from, name));
  const path = join(to, name);
  if (isThere(path, contents)) continue;
  if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true });
  made.add(dirname(path));
  writeFileSync(path, contents);
  appendFileSync(done, `${name}\n`);
}
