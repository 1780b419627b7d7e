import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import {
  CONFLICT_POLICIES,
  configFileToWrite,
  DISCONNECTED_POLICIES,
  formatFsetdb,
  formatServerdb,
  formatSysid,
  mustRead,
  readFsetdb,
  readServerdb,
  readSysid,
  saveConfigFiles,
  type Fileset,
} from '../../../src/core/config/index.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { fixtures, temporaryDirectories } from './support.js';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const fileset = fc.record(
  {
    name,
    servername: name,
    replicators: fc.uniqueArray(name, { maxLength: 5 }),
    policy: fc.constantFrom(...DISCONNECTED_POLICIES),
    conflicts: fc.constantFrom(...CONFLICT_POLICIES),
  },
  { noNullPrototype: true },
);

/** A fileset as a reader gives it, without where it stood. */
function withoutPlaces(fileset: Fileset): Omit<Fileset, 'place' | 'places'> {
  const { name, servername, replicators, policy, conflicts } = fileset;
  return { name, servername, replicators, policy, conflicts };
}

describe('written configuration files', () => {
  const directory = temporaryDirectories();

  it('are the HOWTO files again, with a header', () => {
    const written = formatFsetdb(mustRead(readFsetdb(`${fixtures}/two-clients/fsetdb`)));
    assert.equal(
      written.replace(/^<!--.*-->\n/, ''),
      `<fsetdb>
  <fileset name="shared" servername="muskox">
    <replicator>clientA</replicator>
    <replicator>clientB</replicator>
  </fileset>
</fsetdb>
`,
    );
    const sysid = mustRead(readSysid(`${fixtures}/one-client/sysid`));
    assert.match(
      formatSysid(sysid),
      /^<!--.*-->\n<sysid name="muskox" psdev="\/dev\/intermezzo0" bindaddr="192.168.0.3"\/>\n$/,
    );
  });

  it('empty databases are valid files', () => {
    const file = `${directory()}/db`;
    writeFileSync(file, formatServerdb([]));
    assert.deepEqual(mustRead(readServerdb(file)), []);
    writeFileSync(file, formatFsetdb([]));
    assert.deepEqual(mustRead(readFsetdb(file)), []);
  });

  it('are read as they were written', () => {
    const file = `${directory()}/fsetdb`;
    const filesets = fc.uniqueArray(fileset, { maxLength: 4, selector: (each) => each.name });
    fc.assert(
      fc.property(filesets, (each) => {
        writeFileSync(file, formatFsetdb(each));
        const read = mustRead(readFsetdb(file));
        assert.deepEqual(read.map(withoutPlaces), each);
      }),
    );
  });

  it('keep the file before as .bak', () => {
    const file = `${directory()}/sysid`;
    for (const text of ['one', 'two', 'three']) saveConfigFiles([configFileToWrite(file, text)]);
    assert.equal(readFileSync(file, 'utf8'), 'three');
    assert.equal(readFileSync(`${file}.bak`, 'utf8'), 'two');
  });
});

describe('the readers', () => {
  const directory = temporaryDirectories();

  it('never throw anything but what is wrong, whatever the bytes', function () {
    this.timeout(20_000);
    const file = `${directory()}/any`;
    const words = ['<fsetdb>', '</fsetdb>', '<fileset ', 'name="a"', '>', '/>', '<!--', '-->', '<'];
    const more = [
      '<![CDATA[',
      ']]>',
      '<?x ',
      '?>',
      '&amp;',
      '&#0;',
      '"',
      "'",
      '<_',
      '</',
      '__proto__=',
    ];
    const xmlish = fc
      .array(fc.oneof(fc.constantFrom(...words, ...more), fc.string({ maxLength: 4 })))
      .map((each) => Buffer.from(`<fsetdb>${each.join('')}`));
    const bytes = fc.oneof(
      xmlish,
      fc.uint8Array().map((each) => Buffer.from(each)),
    );
    fc.assert(
      fc.property(bytes, (each) => {
        writeFileSync(file, each);
        for (const read of [readSysid, readServerdb, readFsetdb]) {
          try {
            mustRead<unknown>(read(file));
          } catch (error) {
            assert.ok(error instanceof IzoError, String(error));
            assert.ok(error.place?.line !== undefined && error.place.line >= 1);
            assert.ok(error.place.column !== undefined && error.place.column >= 1);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('refuse a file of more than 1 MiB, and what is no file, without reading it', () => {
    const file = `${directory()}/big`;
    writeFileSync(file, `<sysid/>${' '.repeat(1024 * 1024)}`);
    assert.equal(readSysid(file).problems[0]?.code, 'config-too-big');
    assert.equal(readSysid('/dev/zero').problems[0]?.code, 'config-unreadable');
    assert.equal(readSysid('/').problems[0]?.code, 'config-unreadable');
  });

  it('a thousand filesets of a hundred hosts are read in no time', function () {
    this.timeout(5000);
    const file = `${directory()}/fsetdb`;
    const replicators = Array.from({ length: 10 }, (_, index) => `host${String(index)}`);
    const many = Array.from({ length: 1000 }, (_, index) => ({
      name: `set${String(index)}`,
      servername: 'muskox',
      replicators,
      policy: 'write' as const,
      conflicts: 'keep-both' as const,
    }));
    writeFileSync(file, formatFsetdb(many));
    assert.equal(mustRead(readFsetdb(file)).length, 1000);
  });
});
