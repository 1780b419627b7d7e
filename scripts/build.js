#!/usr/bin/env node
/**
 * Compiles src into dist, puts the program together from that, lists the commands in oclif.manifest.json, without which
 * every start of izo loads all of them, and makes the man pages of that. A build that fails leaves the last good one in
 * place; one that succeeds replaces it as a whole, so that no file of a module that is gone stays behind.
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.js';
import { writeManPages } from './man.js';

/** Written last, with the time at which the build began: what changed during a build is built again. */
const STAMP = 'dist/.built';
const MANIFEST = 'oclif.manifest.json';

/** Directories count too: their time tells of files that came or went. */
function newestTime(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return readdirSync(path).reduce(
    (newest, name) => Math.max(newest, newestTime(join(path, name))),
    status.mtimeMs,
  );
}

export function isBuilt(root) {
  const stamp = statSync(join(root, STAMP), { throwIfNoEntry: false });
  const made = [MANIFEST, 'man'].map((name) =>
    statSync(join(root, name), { throwIfNoEntry: false }),
  );
  if (stamp === undefined || made.includes(undefined)) return false;
  return ['src', 'docs', 'scripts', 'tsconfig.json', 'package.json'].every(
    (name) => newestTime(join(root, name)) < stamp.mtimeMs,
  );
}

async function compile(root) {
  const [dist, next, last] = ['dist', `dist.new-${process.pid}`, `dist.old-${process.pid}`].map(
    (name) => join(root, name),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', join(root, 'tsconfig.json'), '--outDir', next, '--noEmitOnError'];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) {
    await bundle(root, next);
    if (statSync(dist, { throwIfNoEntry: false })) renameSync(dist, last);
    renameSync(next, dist);
  }
  rmSync(next, { recursive: true, force: true });
  rmSync(last, { recursive: true, force: true });
  return status === 0;
}

/** What `oclif manifest` does, without the 300 packages of that tool. @returns the manifest */
async function writeManifest(root) {
  const { Plugin } = await import('@oclif/core');
  const plugin = new Plugin({
    root,
    type: 'core',
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  const file = join(root, MANIFEST);
  writeFileSync(`${file}.new`, `${JSON.stringify(plugin.manifest, null, 1)}\n`);
  renameSync(`${file}.new`, file);
  return plugin.manifest;
}

/** @returns whether it succeeded; what was wrong is on standard error then */
export async function build(root) {
  const start = new Date();
  if (!(await compile(root))) return false;
  writeManPages(root, await writeManifest(root));
  const stamp = join(root, STAMP);
  closeSync(openSync(stamp, 'w'));
  utimesSync(stamp, start, start);
  return true;
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] === self) process.exitCode = (await build(resolve(self, '../..'))) ? 0 : 1;
