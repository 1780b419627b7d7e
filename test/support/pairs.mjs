/**
 * Two sides do something to what is in the same small directory, each pair of things in one of its own:
 *
 *   pairs.mjs furnish ROOT         makes the directories, one for each pair
 *   pairs.mjs server|client ROOT   does that side's part in all of them
 *   pairs.mjs lines ROOT...        prints all lines that it has written and that are in files below, as JSON
 */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** What one side can do in its directory; `text` makes a line of its own with each call. */
const ACTS = {
  nothing: () => undefined,
  write: (at, text) => writeFileSync(at('f'), text()),
  append: (at, text) => appendFileSync(at('f'), text()),
  empty: (at) => truncateSync(at('f')),
  'write far behind': (at, text) => {
    const fd = openSync(at('f'), 'r+');
    writeSync(fd, text(), 200_000);
    closeSync(fd);
  },
  save: (at, text) => {
    writeFileSync(at('.f.new'), text());
    renameSync(at('.f.new'), at('f'));
  },
  'save with a backup': (at, text) => {
    renameSync(at('f'), at('f~'));
    writeFileSync(at('f'), text());
  },
  mode: (at, _text, side) => chmodSync(at('f'), side === 'client' ? 0o600 : 0o640),
  times: (at, _text, side) => utimesSync(at('f'), 1e9, side === 'client' ? 1e9 : 2e9),
  'rename to a name': (at) => renameSync(at('f'), at('n')),
  'rename to another name': (at, _text, side) => renameSync(at('f'), at(`n-${side}`)),
  'rename over a file': (at) => renameSync(at('f'), at('g')),
  'rename that file over this': (at) => renameSync(at('g'), at('f')),
  'exchange two': (at) => {
    renameSync(at('f'), at('x'));
    renameSync(at('g'), at('f'));
    renameSync(at('x'), at('g'));
  },
  'move into a directory': (at) => renameSync(at('f'), at('d/f')),
  remove: (at) => unlinkSync(at('f')),
  'remove and make': (at, text) => {
    unlinkSync(at('f'));
    writeFileSync(at('f'), text());
  },
  'a directory in place of the file': (at, text) => {
    unlinkSync(at('f'));
    mkdirSync(at('f'));
    writeFileSync(at('f/in'), text());
  },
  link: (at) => linkSync(at('f'), at('n')),
  'remove one of two names': (at) => unlinkSync(at('l1')),
  'remove the other one': (at) => unlinkSync(at('l2')),
  'write by the second name': (at, text) => writeFileSync(at('l2'), text()),
  'save the first name': (at, text) => {
    writeFileSync(at('.l.new'), text());
    renameSync(at('.l.new'), at('l1'));
  },
  'new file': (at, text) => writeFileSync(at('n'), text()),
  'new directory': (at, text) => {
    mkdirSync(at('n'));
    writeFileSync(at('n/in'), text());
  },
  'new link': (at, _text, side) => symlinkSync(side, at('n')),
  'another link': (at, _text, side) => {
    unlinkSync(at('s'));
    symlinkSync(side, at('s'));
  },
  'put into the directory': (at, text) => writeFileSync(at('d/new'), text()),
  'write in the directory': (at, text) => writeFileSync(at('d/in'), text()),
  'rename the directory': (at) => renameSync(at('d'), at('n')),
  'directory below the other': (at) => renameSync(at('d'), at('e/d')),
  'the other below the directory': (at) => renameSync(at('e'), at('d/e')),
  'remove the directory': (at) => rmSync(at('d'), { recursive: true }),
  'a file in place of the directory': (at, text) => {
    rmSync(at('d'), { recursive: true });
    writeFileSync(at('d'), text());
  },
  'remove the empty directory': (at) => rmdirSync(at('e')),
  'put into the empty directory': (at, text) => writeFileSync(at('e/new'), text()),
  'remove everything': (at) => {
    for (const name of readdirSync(at('.'))) rmSync(at(name), { recursive: true });
  },
};

const NAMES = Object.keys(ACTS);

/** Of all pairs only every so manieth one. */
const [STEP, FROM] = [Number(process.env.STEP ?? 1), Number(process.env.FROM ?? 0)];

/** Calls `act` for each pair, with its directory: named by what the client does, and below that by what the server does. */
function forEach(root, act) {
  let count = FROM;
  for (const client of NAMES) {
    for (const server of NAMES) {
      if (count++ % STEP === 0) act(join(root, client, server), { client, server });
    }
  }
}

const line = (...words) => `${words.join('|')}|\n`;

function furnish(root) {
  forEach(root, (directory, { client, server }) => {
    const at = (name) => join(directory, name);
    const base = (name) => line('base', client, server, name);
    mkdirSync(at('d'), { recursive: true });
    mkdirSync(at('e'));
    for (const name of ['f', 'g', 'd/in', 'l1']) writeFileSync(at(name), base(name));
    linkSync(at('l1'), at('l2'));
    symlinkSync('base', at('s'));
  });
}

function act(side, root) {
  forEach(root, (directory, pair) => {
    let count = 0;
    const text = () => line(side, pair.client, pair.server, ++count);
    ACTS[pair[side]]((name) => join(directory, name), text, side);
  });
}

function lines(roots) {
  const found = new Set();
  for (const root of roots.filter(existsSync)) {
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const contents = readFileSync(join(entry.parentPath, entry.name), 'utf8');
      for (const each of contents.replaceAll('\0', '').split('\n')) {
        if (each.endsWith('|')) found.add(each);
      }
    }
  }
  process.stdout.write(JSON.stringify([...found]));
}

const [what, ...roots] = process.argv.slice(2);
if (what === 'furnish') furnish(roots[0]);
else if (what === 'lines') lines(roots);
else act(what, roots[0]);
