import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IzoError } from '../model/errors.js';
import type { Item } from './items.js';
import { isNodeInPath, MAN_DIRECTORY, type Program } from './program.js';
import { lentoUnits } from './units.js';

/** The names by which mount(8) and umount(8) look for helpers in /sbin, and the command behind each. */
const HELPERS: readonly (readonly [name: string, command: string])[] = [
  ['mount.InterMezzo', 'mount-helper'],
  ['mount.intermezzo', 'mount-helper'],
  ['mount.izo', 'mount-helper'],
  // By the type that /proc/mounts shows: for `mount -o remount` without a line in fstab.
  ['mount.fuse.InterMezzo', 'mount-helper'],
  ['umount.fuse.InterMezzo', 'umount-helper'],
  ['umount.fuse.izo', 'umount-helper'],
];

/** What the shells complete. */
export interface Completions {
  readonly bash: string;
  readonly zsh: string;
}

export interface LayoutOptions {
  /** `/usr/local`: below it are pages, units and completions. */
  readonly prefix: string;
  readonly program: Program;
  readonly completions: Completions;
}

/** All that belongs to an installation besides the package of npm itself, by paths below the root. */
export function layout({ prefix, program, completions }: LayoutOptions): Item[] {
  const share = (path: string): string => join(prefix, 'share', path);
  const file = (path: string, data: string): Item => ({ path, kind: 'file', data, mode: 0o644 });
  return [
    ...HELPERS.map(([name, command]) => helper(name, command, program)),
    ...lentoUnits(program).map(({ name, text }) =>
      file(join(prefix, 'lib/systemd/system', name), text),
    ),
    ...manPages().map(({ name, text }) =>
      file(share(`man/man${name.slice(name.lastIndexOf('.') + 1)}/${name}`), text),
    ),
    file(share('bash-completion/completions/izo'), completions.bash),
    file(share('zsh/site-functions/_izo'), completions.zsh),
  ];
}

/** A link to the program, which knows by its name what it is; where Node would not be found that way, two lines of shell. */
function helper(name: string, command: string, { node, script }: Program): Item {
  const path = join('/sbin', name);
  if (isNodeInPath()) return { path, kind: 'link', target: script };
  const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  const data = `#!/bin/sh\nexec ${quote(node)} ${quote(script)} ${command} "$@"\n`;
  return { path, kind: 'file', data, mode: 0o755 };
}

function manPages(): { name: string; text: string }[] {
  try {
    return readdirSync(MAN_DIRECTORY)
      .sort()
      .map((name) => ({ name, text: readFileSync(join(MAN_DIRECTORY, name), 'utf8') }));
  } catch (error) {
    throw new IzoError('not-built', 'this izo has no man pages', {
      place: { file: MAN_DIRECTORY },
      remedy: 'Build it: npm run build',
      cause: error,
    });
  }
}
