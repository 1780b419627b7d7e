import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import {
  mustRead,
  readConfiguration,
  readFsetdb,
  readServerdb,
  readSysid,
  type Reading,
} from '../../../src/core/config/index.js';
import { brokenDirectory, errorOf, fixtures } from './support.js';

/** What is told about each broken file: all of it, in file order, as `line:column code`. */
const EXPECTED: Record<string, string[]> = {
  'attribute-case.serverdb': ['2:11 unknown-attribute'],
  'bad-conflicts.fsetdb': ['2:57 bad-conflicts'],
  'bad-policy.fsetdb': ['2:54 bad-policy'],
  'binary.sysid': ['2:118 config-encoding'],
  'bindaddr-is-a-name.sysid': ['2:18 bad-address'],
  'close-misspelt.fsetdb': ['3:24 xml-malformed'],
  'crossed-tags.fsetdb': ['3:24 xml-malformed'],
  'doctype.serverdb': ['2:1 xml-doctype'],
  'double-dash-comment.fsetdb': ['2:14 xml-malformed'],
  'empty.sysid': ['1:1 config-empty'],
  'entity-bomb.serverdb': ['2:1 xml-doctype'],
  'fileset-twice.fsetdb': ['3:18 duplicate-fileset'],
  'fsetdb-in-place-of.sysid': ['1:1 unknown-element'],
  'hostile-attribute.sysid': ['1:8 unknown-attribute'],
  'ipaddr-out-of-range.serverdb': ['2:33 bad-address'],
  'ipaddr-unspecified.serverdb': ['2:33 bad-address'],
  'ipv6-malformed.serverdb': ['2:33 bad-address'],
  'latin1.sysid': ['2:9 config-encoding'],
  'misspelt-ipaddr.serverdb': ['2:25 unknown-attribute'],
  'misspelt-psdev.sysid': ['1:22 unknown-attribute'],
  'misspelt-server.serverdb': ['2:3 unknown-element'],
  'name-empty.sysid': ['1:14 bad-name'],
  'name-too-long.sysid': ['1:14 bad-name'],
  'name-twice.sysid': ['1:47 duplicate-attribute'],
  'name-with-slash.sysid': ['1:14 bad-name'],
  'no-end-of-tag.sysid': ['1:1 xml-malformed'],
  'no-ipaddr.serverdb': ['2:3 missing-attribute'],
  'no-psdev.sysid': ['2:1 missing-attribute'],
  'no-servername.fsetdb': ['2:3 missing-attribute'],
  'only-a-comment.sysid': ['1:1 xml-malformed'],
  'only-blanks.sysid': ['1:1 config-empty'],
  'perl-anonymous-hash.fsetdb': ['1:3 config-perl'],
  'perl-hash.serverdb': ['1:1 config-perl'],
  'perl-scalar.sysid': ['3:1 config-perl'],
  'port-too-high.serverdb': ['2:52 bad-port'],
  'port-with-sign.serverdb': ['3:11 bad-port'],
  'port-zero.serverdb': ['2:52 bad-port'],
  'proto-attribute.sysid': ['1:47 unknown-attribute'],
  'psdev-climbs.sysid': ['1:29 bad-psdev'],
  'psdev-not-a-path.sysid': ['1:29 bad-psdev'],
  'replicator-as-attribute.fsetdb': ['3:17 unknown-attribute'],
  'replicator-bad-name.fsetdb': ['3:17 bad-name'],
  'replicator-empty.fsetdb': ['3:5 bad-name'],
  'replicator-twice.fsetdb': ['5:7 duplicate-replicator'],
  'server-name-with-dash.fsetdb': ['2:26 unknown-attribute'],
  'server-twice.serverdb': ['3:38 duplicate-server'],
  'stray-text.serverdb': ['4:3 stray-text'],
  'text-after.sysid': ['2:1 xml-malformed'],
  'text-in-fileset.fsetdb': ['3:5 stray-text'],
  'too-deep.fsetdb': ['2:136 xml-malformed'],
  'two-mistakes.serverdb': [
    '2:46 unknown-attribute',
    '2:60 bad-port',
    '3:3 missing-attribute',
    '3:19 bad-address',
  ],
  'two-roots.sysid': ['2:1 xml-malformed'],
  'unclosed-fileset.fsetdb': ['2:3 xml-malformed'],
  'unclosed-last-quote.sysid': ['1:1 xml-malformed'],
  'unclosed-quote.sysid': ['1:29 xml-malformed'],
  'unclosed-server.serverdb': ['3:1 xml-malformed'],
  'unknown-entity.serverdb': ['2:21 xml-malformed'],
  'unquoted-value.sysid': ['1:13 xml-malformed'],
  'wrong-root.sysid': ['2:1 unknown-element'],
};

/** A misspelt word must be followed by the word that was meant. */
const SUGGESTED: Record<string, string> = {
  'attribute-case.serverdb': '`name`',
  'bad-policy.fsetdb': '`readonly`',
  'misspelt-ipaddr.serverdb': '`ipaddr`',
  'misspelt-psdev.sysid': '`psdev`',
  'misspelt-server.serverdb': '`server`',
  'server-name-with-dash.fsetdb': '`servername`',
  'wrong-root.sysid': '`sysid`',
};

function read(name: string): Reading<unknown> {
  const file = `${brokenDirectory}/${name}`;
  if (name.endsWith('.sysid')) return readSysid(file);
  return name.endsWith('.serverdb') ? readServerdb(file) : readFsetdb(file);
}

describe('broken configuration files', () => {
  it('are all in the table', () => {
    assert.deepEqual(readdirSync(brokenDirectory).sort(), Object.keys(EXPECTED).sort());
  });

  for (const [name, expected] of Object.entries(EXPECTED)) {
    it(name, () => {
      const reading = read(name);
      const told = reading.problems.map(
        ({ code, place }) => `${String(place.line)}:${String(place.column)} ${code}`,
      );
      assert.deepEqual(told, expected);
      for (const problem of reading.problems) {
        assert.equal(problem.place.file, `${brokenDirectory}/${name}`);
        assert.match(problem.remedy, /\S/);
      }
      const suggested = SUGGESTED[name];
      if (suggested !== undefined) {
        const remedy = reading.problems[0]?.remedy ?? '';
        assert.ok(remedy.startsWith(`Did you mean ${suggested}? `), remedy);
      }
      assert.equal(errorOf(() => mustRead(reading)).exit, 1);
    });
  }
});

describe('files that do not fit together', () => {
  const told = (name: string): string[] =>
    readConfiguration({ configDir: `${fixtures}/crossed/${name}` }).problems.map(
      ({ severity, code, place }) =>
        `${severity} ${code} ${place.file.split('/').at(-1) ?? ''}:${String(place.line)}:${String(place.column)}`,
    );

  it('a fileset of an unknown server is told where fsetdb names it', () => {
    assert.deepEqual(told('unknown-server'), ['error unknown-server fsetdb:2:38']);
  });

  it('a server is not a replicator of its own fileset', () => {
    assert.deepEqual(told('self-replicator'), ['error self-replicator fsetdb:4:17']);
  });

  it('a host of no fileset is a warning', () => {
    assert.deepEqual(told('not-involved'), ['warning not-involved sysid:1:1']);
    const { value } = readConfiguration({ configDir: `${fixtures}/crossed/not-involved` });
    assert.equal(value?.warnings.length, 1);
  });

  it('a broken serverdb does not make its servers unknown', () => {
    assert.deepEqual(told('broken-serverdb'), ['error bad-address serverdb:2:33']);
  });

  it('a missing file says what makes it', () => {
    const { problems } = readConfiguration({ configDir: '/nowhere' });
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['config-missing', 'config-missing', 'config-missing'],
    );
    assert.match(problems[0]?.remedy ?? '', /`izo inconfig`.*`izo join TOKEN`/);
    assert.equal(
      errorOf(() => mustRead<unknown>({ value: undefined, problems })).code,
      'config-missing',
    );
  });
});
