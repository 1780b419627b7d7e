#!/usr/bin/env node
/**
 * Makes a fresh checkout ready to run: the programs of the host, the packages of npm, the build. Plain Node without
 * packages, because it runs before there are any. It looks first and does only what is missing.
 *
 *   node scripts/setup.js [--test]     --test also installs what only the tests need
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from './build.js';

// Not import.meta.dirname: a Node that is too old must come as far as the check of its version.
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_MIN = [20, 15];

/** The Debian package of each program izo runs. */
const PROGRAMS = {
  mke2fs: 'e2fsprogs',
  debugfs: 'e2fsprogs',
  e2fsck: 'e2fsprogs',
  losetup: 'mount',
  mount: 'mount',
  blkid: 'util-linux',
  nsenter: 'util-linux',
  ip: 'iproute2',
  ps: 'procps',
};

/** The native binding is optional: only its tests insist on it, where there is a build of it. */
const HAS_NATIVE = process.arch === 'x64';
const NATIVE_PACKAGE = 'node_modules/fuse-native';

const PROGRAMS_OF_TESTS = {
  faketime: 'faketime',
  git: 'git',
  groff: 'groff-base',
  tar: 'tar',
  'mkfs.xfs': 'xfsprogs',
  tmux: 'tmux',
  ...(HAS_NATIVE ? { 'libfuse.so.2': 'libfuse2' } : {}),
};

function say(line) {
  process.stdout.write(`setup: ${line}\n`);
}

function fail(line) {
  process.stderr.write(`setup: ${line}\n`);
  process.exit(1);
}

function checkHost() {
  if (process.platform !== 'linux')
    fail(`izo is a Linux file system; this is ${process.platform}.`);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
    const wanted = NODE_MIN.join('.');
    fail(
      `izo needs Node ${wanted} or later, and this is ${process.versions.node}: see nodejs.org.`,
    );
  }
  if (process.geteuid() !== 0) {
    fail('izo mounts file systems, which only root may: run the command as root (sudo npm ...).');
  }
  if (!existsSync('/dev/fuse')) {
    say(
      'warning: there is no /dev/fuse, so nothing can be mounted: modprobe fuse, or give the container the device',
    );
  }
}

/** A program, or a library. sbin as well: a user's PATH often lacks it. */
function isInstalled(program) {
  if (program.includes('.so.')) return libraries().includes(program);
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** All that the dynamic linker finds. */
function libraries() {
  const { stdout } = spawnSync('ldconfig', ['-p'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  });
  return stdout ?? '';
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error) say(`${command}: ${error.message}`);
  return status === 0;
}

function installPrograms(wanted) {
  const missing = Object.keys(wanted).filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => wanted[program]))];
  const what = `${missing.join(', ')} (Debian: ${packages.join(' ')})`;
  if (!isInstalled('apt-get'))
    fail(`please install ${what} with the package manager of this host.`);
  say(`installing ${what}`);
  const apt = (...args) => run('apt-get', args, { DEBIAN_FRONTEND: 'noninteractive' });
  const install = () => apt('install', '-y', '-q', '--no-install-recommends', ...packages);
  const hasLists = readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'));
  // Lists that are there may be too old to name packages that still exist.
  if ((hasLists && install()) || (apt('update', '-q') && install())) return;
  fail(`apt-get failed: please install ${what}.`);
}

function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules holds what package-lock.json says, by npm's own note of what it installed. Versions are compared
 * and not times, because git gives files the time of the checkout. Optional packages are for other platforms too, or may
 * be missing, but for those `needed`.
 */
function hasNodeModules(needed) {
  const installed = readPackages(join(ROOT, 'node_modules/.package-lock.json'));
  const wanted = readPackages(join(ROOT, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' ||
      installed[path]?.version === version ||
      (optional && !(path in installed) && !needed.includes(path)),
  );
}

function installNodeModules(needed) {
  if (hasNodeModules(needed)) return;
  say('installing packages: npm ci');
  // No package of ours needs its install script: koffi, esbuild and fuse-native come prebuilt.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund'];
  if (!run('npm', args)) fail('npm ci failed: see its message above.');
}

const forTests = process.argv.includes('--test');
checkHost();
installPrograms(forTests ? { ...PROGRAMS, ...PROGRAMS_OF_TESTS } : PROGRAMS);
installNodeModules(forTests && HAS_NATIVE ? [NATIVE_PACKAGE] : []);
if (!isBuilt(ROOT)) {
  say('building dist: tsc');
  if (!(await build(ROOT))) fail('the build failed: see the messages of tsc above.');
}
