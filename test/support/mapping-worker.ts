/**
 * Writes to a shared mapping of a file that somebody reads meanwhile, after the file itself was closed.
 *
 *   node --import tsx mapping-worker.ts FILE FLAGS
 *
 * Writes `A` at byte 0 and makes FLAGS.mapped; waits for FLAGS.go and writes `C` at byte 5; ends when FLAGS.end is there.
 */
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Mapping } from './mapping.js';

const [path = '', flags = ''] = process.argv.slice(2);

async function flag(name: string): Promise<void> {
  while (!existsSync(`${flags}.${name}`)) await sleep(20);
}

const reader = openSync(path, 'r');
const fd = openSync(path, 'r+');
const map = new Mapping(fd, 4096, true);
closeSync(fd);
map.write(0, 'A');
writeFileSync(`${flags}.mapped`, '');
await flag('go');
map.write(5, 'C');
await flag('end');
map.unmap();
closeSync(reader);
