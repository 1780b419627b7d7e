import fc from 'fast-check';
import type { PaperHost } from './host.js';
import type { PaperObject } from './tree.js';

const ACTS = [
  'create',
  'mkdir',
  'symlink',
  'write',
  'write',
  'write',
  'write',
  'save',
  'save',
  'writeAll',
  'rename',
  'rename',
  'exchange',
  'link',
  'unlink',
  'unlink',
  'rmdir',
  'removeAll',
  'chmod',
  'chown',
  'utime',
  'setxattr',
  'delxattr',
] as const;

const NAMES = ['a', 'b', 'c', 'd'];

/** What a user does: numbers choose among what there is. */
export interface Act {
  readonly kind: (typeof ACTS)[number];
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const anyOf = (...kinds: Act['kind'][]): fc.Arbitrary<Act> =>
  fc.record({ kind: fc.constantFrom(...kinds), a: fc.nat(20), b: fc.nat(20), c: fc.nat(60) });

export const anyAct = anyOf(...ACTS);

/** Does nothing to names, or next to nothing. */
export const anyWrite = anyOf('write', 'write', 'write', 'save');

/** When a connection is cut: behind so many records; half of them last. */
export const anyCut = fc.option(fc.nat(6), { nil: undefined, freq: 1 });

/** @param below a number from 0 on, less than its argument */
export function randomAct(below: (most: number) => number): Act {
  const kind = ACTS[below(ACTS.length)] ?? 'create';
  return { kind, a: below(21), b: below(21), c: below(61) };
}

type Found = [path: string, object: PaperObject];

export function doAct(host: PaperHost, { kind, a, b, c }: Act): void {
  const everything = [...host.tree.walk()];
  const pick = (n: number, wanted: (found: Found) => boolean): string | undefined => {
    const fitting = everything.filter(wanted);
    return fitting[n % Math.max(1, fitting.length)]?.[0];
  };
  const inDirectory = pick(a, ([, o]) => o.kind === 'directory') ?? '';
  const name = NAMES[b % NAMES.length] ?? 'a';
  const newPath = inDirectory === '' ? name : `${inDirectory}/${name}`;
  const some = pick(c, ([path]) => path !== '');
  const file = pick(c, ([, o]) => o.kind === 'file');
  switch (kind) {
    case 'create':
      host.create(newPath);
      return;
    case 'mkdir':
      host.mkdir(newPath);
      return;
    case 'symlink':
      host.symlink(newPath, `to-${c % 2}`);
      return;
    case 'write':
      if (file !== undefined) host.write(file, contents(host, c));
      return;
    case 'save':
      if (file !== undefined) host.save(file, contents(host, c));
      return;
    case 'writeAll':
      for (const [path, { kind: is }] of everything) {
        if (is === 'file') host.write(path, contents(host, c));
      }
      return;
    case 'rename':
      if (some !== undefined) host.rename(some, newPath);
      return;
    case 'exchange':
      if (some !== undefined) host.exchange(some, newPath);
      return;
    case 'link':
      if (file !== undefined) host.link(file, newPath);
      return;
    case 'unlink': {
      const found = pick(c, ([, o]) => o.kind !== 'directory');
      if (found !== undefined) host.unlink(found);
      return;
    }
    case 'rmdir': {
      const found = pick(c, ([path, o]) => path !== '' && o.kind === 'directory');
      if (found !== undefined) host.rmdir(found);
      return;
    }
    case 'removeAll':
      if (some !== undefined) host.remove(some);
      return;
    default: {
      const found = everything[c % everything.length];
      if (found !== undefined) setAttribute(host, found, { kind, a, b });
    }
  }
}

/** Few different ones, so that both sides come to the same now and then. */
function contents({ replica, recno }: PaperHost, n: number): string {
  return n % 4 === 0 ? 'same' : `${replica}-${recno + 1}-${n % 7}`;
}

function setAttribute(
  host: PaperHost,
  [path, object]: Found,
  { kind, a, b }: Omit<Act, 'c'>,
): void {
  if (kind === 'chmod' && object.kind !== 'symlink') host.chmod(path, 0o600 + (a % 3));
  if (kind === 'chown') host.chown(path, a % 3, b % 3);
  if (kind === 'utime') host.utime(path, a % 9);
  if (kind === 'setxattr') host.setxattr(path, `user.${a % 2}`, `v${b % 3}`);
  if (kind === 'delxattr') host.delxattr(path, `user.${a % 2}`);
}
