import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  CONFLICT_POLICIES,
  DISCONNECTED_POLICIES,
  formatFsetdb,
  formatServerdb,
  formatSysid,
  mustRead,
  readFsetdb,
  readServerdb,
  readSysid,
  type Fileset,
  type Server,
} from '../../../src/core/config/index.js';
import { fixtures, temporaryDirectories } from './support.js';

type PlainFileset = Omit<Fileset, 'place' | 'places'>;
type PlainServer = Omit<Server, 'place'>;

const name = fc.stringMatching(/^[a-d]$/);
const filesets: fc.Arbitrary<PlainFileset[]> = fc.uniqueArray(
  fc.record(
    {
      name,
      servername: name,
      replicators: fc.uniqueArray(name, { maxLength: 4 }),
      policy: fc.constantFrom(...DISCONNECTED_POLICIES),
      conflicts: fc.constantFrom(...CONFLICT_POLICIES),
    },
    { noNullPrototype: true },
  ),
  { maxLength: 4, selector: (each) => each.name },
);
const servers: fc.Arbitrary<PlainServer[]> = fc.uniqueArray(
  fc.record(
    {
      name,
      ipaddr: fc.ipV4(),
      port: fc.constantFrom(2222, 2223),
      bindaddr: fc.ipV4(),
    },
    { noNullPrototype: true, requiredKeys: ['name', 'ipaddr', 'port'] },
  ),
  { maxLength: 4, selector: (each) => each.name },
);

/** How somebody else writes such a file: other quotes, other white space, on one line, with DOS line ends. */
type Habit = (text: string) => string;
const habits = fc.constantFrom<Habit>(
  (text) => text,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll(/\n */g, ''),
  (text) => text.replaceAll('"', "'").replaceAll('/>', '\t/>').replaceAll('  ', '\t'),
  (text) => text.replaceAll(/ (ipaddr|servername)=/g, '\n     $1 = '),
  (text) => text.replaceAll(/<(server|fileset) /g, '<!-- before $1 -->\n  <$1 '),
);

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
const plain = <T extends object>(each: T): Omit<T, 'place' | 'places'> =>
  Object.fromEntries(
    Object.entries(each).filter(([key]) => key !== 'place' && key !== 'places'),
  ) as Omit<T, 'place' | 'places'>;
const sorted = (each: PlainFileset): PlainFileset => ({
  ...each,
  replicators: [...each.replicators].sort(),
});
const comments = (text: string): string[] => text.match(/<!--.*?-->/g) ?? [];

describe('editing a configuration file', () => {
  const directory = temporaryDirectories();

  it('makes an fsetdb say what it should, and keeps all comments', () => {
    const file = `${directory()}/fsetdb`;
    fc.assert(
      fc.property(filesets, filesets, habits, (before, after, habit) => {
        const text = habit(formatFsetdb(before));
        const edited = formatFsetdb(after, file, text);
        writeFileSync(file, edited);
        const read = mustRead(readFsetdb(file)).map(plain).map(sorted).sort(byName);
        assert.deepEqual(read, after.map(sorted).sort(byName));
        assert.deepEqual(comments(edited), comments(text));
        assert.equal(formatFsetdb(after, file, edited), edited, 'the second time changes nothing');
      }),
      { numRuns: 150 },
    );
  });

  it('makes a serverdb say what it should', () => {
    const file = `${directory()}/serverdb`;
    fc.assert(
      fc.property(servers, servers, habits, (before, after, habit) => {
        const text = habit(formatServerdb(before));
        const edited = formatServerdb(after, file, text);
        writeFileSync(file, edited);
        assert.deepEqual(
          mustRead(readServerdb(file)).map(plain).sort(byName),
          [...after].sort(byName),
        );
        assert.deepEqual(comments(edited), comments(text));
      }),
      { numRuns: 150 },
    );
  });

  it('leaves a file alone that says so already', () => {
    for (const fixture of ['one-client', 'two-clients', 'aliased']) {
      const at = (each: string): string => `${fixtures}/${fixture}/${each}`;
      const text = (each: string): string => readFileSync(at(each), 'utf8');
      const sysid = mustRead(readSysid(at('sysid')));
      assert.equal(formatSysid(sysid, 'sysid', text('sysid')), text('sysid'));
      const known = mustRead(readServerdb(at('serverdb')));
      assert.equal(formatServerdb(known, 'serverdb', text('serverdb')), text('serverdb'));
      const sets = mustRead(readFsetdb(at('fsetdb')));
      assert.equal(formatFsetdb(sets, 'fsetdb', text('fsetdb')), text('fsetdb'));
    }
  });

  it('changes one line for one replicator', () => {
    const text = `<!-- ours -->
<fsetdb>
  <!-- the home directories -->
  <fileset name="home" servername="muskox" policy="write">  <!-- since 2001 -->
    <replicator>clientA</replicator> <!-- Anna -->
    <replicator>clientB</replicator>
  </fileset>

  <fileset name="src" servername="musk&#111;x"/>
</fsetdb>
`;
    const file = `${directory()}/fsetdb`;
    writeFileSync(file, text);
    const [home, src] = mustRead(readFsetdb(file));
    assert.ok(home !== undefined && src !== undefined);
    const changed = { ...home, replicators: ['clientA', 'clientC'] };
    assert.equal(
      formatFsetdb([changed, { ...src, conflicts: 'server' }], file, text),
      text
        .replace('clientB', 'clientC')
        .replace('"musk&#111;x"/>', '"musk&#111;x" conflicts="server"/>'),
    );
  });
});
