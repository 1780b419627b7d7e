import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import {
  answersTree,
  CONFLICT_POLICIES,
  DISCONNECTED_POLICIES,
  editFstab,
  findFstabEntry,
  mustRead,
  planConfiguration,
  readAnswers,
  readExisting,
  readFsetdb,
  readServerdb,
  readSysid,
  type FstabMount,
  type HostFacts,
} from '../../../src/core/config/index.js';
import { IzoError } from '../../../src/core/model/errors.js';
import { errorOf, temporaryDirectories } from './support.js';

const FACTS: HostFacts = {
  addresses: ['10.0.0.1'],
  isBlockDevice: (path) => path.startsWith('/dev/'),
};

const word = fc.stringMatching(/^[a-z][a-z0-9._-]{0,8}$/);
/** Two servers, some clients, and this host: one of them. */
const description = fc
  .record({
    names: fc.uniqueArray(word, { minLength: 4, maxLength: 6 }),
    address: fc.ipV4().filter((each) => each !== '0.0.0.0'),
    port: fc.integer({ min: 1, max: 65535 }),
    listens: fc.boolean(),
    filesets: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
    policy: fc.constantFrom(...DISCONNECTED_POLICIES),
    conflicts: fc.constantFrom(...CONFLICT_POLICIES),
    block: fc.boolean(),
  })
  .map(({ names, address, port, listens, filesets, policy, conflicts, block }) => {
    const [server = '', other = '', ...clients] = names;
    return {
      sysid: [{ name: server, psdev: '/dev/intermezzo0', bindaddr: '10.0.0.1' }],
      server: [
        { name: server, ipaddr: address, port, ...(listens ? { bindaddr: address } : {}) },
        { name: other, ipaddr: '10.0.0.2' },
      ],
      fileset: filesets.map((name, index) => ({
        name,
        servername: index % 2 === 0 ? server : other,
        replicator: [...clients, index % 2 === 0 ? other : server],
        policy,
        conflicts,
      })),
      mount: filesets.map((fileset, index) => ({
        mtpt: `/mnt/a path ${index}`,
        fileset,
        cache: block ? `/dev/sd${index}` : `/srv/cache ${index}`,
        cache_type: index === 0 ? 'ext4' : 'ext3',
        options: 'noauto,nosuid',
      })),
    };
  });
type Description = typeof description extends fc.Arbitrary<infer T> ? T : never;

/** The same as lines. */
function asText(all: Description): string {
  return Object.entries(all)
    .flatMap(([kind, list]) =>
      list.map((each) => {
        const values = Object.entries(each).map(([key, value]) => `${key}="${String(value)}"`);
        return `${kind} ${values.join(' ')}\n`;
      }),
    )
    .join('');
}

describe('answers', () => {
  const directory = temporaryDirectories();

  it('mean the same as JSON and as text, and the files made of them say it again', () => {
    const configDir = `${directory()}/etc`;
    const fstab = `${configDir}/fstab`;
    fc.assert(
      fc.property(description, (all) => {
        rmSync(configDir, { recursive: true, force: true });
        const json = readAnswers(answersTree('f', JSON.stringify(all)));
        const text = readAnswers(answersTree('f', asText(all)));
        assert.deepEqual(withoutPlaces(text), withoutPlaces(json));
        const plan = planConfiguration(json, readExisting({ configDir, fstab }), FACTS);
        for (const { path, before, after } of plan.files) {
          assert.equal(before, undefined);
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, after);
        }
        const { file, ...sysid } = json.sysids[0]!;
        assert.equal(file, 'sysid');
        assert.deepEqual(plain(mustRead(readSysid(`${configDir}/sysid`))), plain(sysid));
        assert.deepEqual(
          mustRead(readServerdb(`${configDir}/serverdb`)).map(plain),
          json.servers.map(plain),
        );
        assert.deepEqual(
          mustRead(readFsetdb(`${configDir}/fsetdb`)).map(plain),
          json.filesets.map(plain),
        );
        for (const mount of json.mounts) {
          const { spec, mountOptions } = findFstabEntry(mount.mtpt, fstab);
          const { fileset, cacheType, loop, nosuid, mtpt } = mountOptions;
          assert.deepEqual(
            [spec, fileset, cacheType],
            [mount.cache, mount.fileset, mount.cacheType],
          );
          assert.deepEqual([mtpt, loop, nosuid], [mount.mtpt, !spec.startsWith('/dev/'), true]);
        }
        const again = planConfiguration(text, readExisting({ configDir, fstab }), FACTS);
        assert.deepEqual(again.files, [], 'the second time changes nothing');
      }),
      { numRuns: 60 },
    );
  });

  it('are refused with a place, whatever the text, and never crash', () => {
    const pieces = fc.constantFrom(
      ...['{', '}', '[', ']', ':', ',', '"', '"name"', '"server"', '1', 'null', '\\', '\n', ' '],
      ...['server', 'fileset', 'mount', 'remove', 'name=', '=', '#', 'a', '/b', 'replicator=a,,b'],
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 20 }).map((all) => all.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (each) => {
        try {
          readAnswers(answersTree('f', each));
        } catch (error) {
          assert.ok(error instanceof IzoError, String(error));
          assert.ok((error.place?.line ?? 0) >= 1 && (error.place?.column ?? 0) >= 1);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('that are nested too deeply are refused', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    assert.equal(errorOf(() => answersTree('f', deep)).code, 'answers-json');
  });

  it('about one thing may not be two', () => {
    const twice = 'server a ipaddr=1.2.3.4\nserver a ipaddr=1.2.3.5\n';
    const { code, place } = errorOf(() => readAnswers(answersTree('f', twice)));
    assert.deepEqual([code, place?.line], ['duplicate-answer', 2]);
  });
});

describe('wrong answers', () => {
  const directory = temporaryDirectories();
  const GOOD = `sysid muskox psdev=/dev/intermezzo0
server muskox ipaddr=192.168.0.3
fileset shared servername=muskox replicator=clientA,clientB
`;
  /** What is added to the good ones, as lines or as a whole; where and how it is refused. */
  const cases: [text: string, place: string, ...says: string[]][] = [
    ['servr x', '4:1', 'unknown element `<servr>`', 'Did you mean `server`?'],
    ['server b ipadr=1.2.3.4', '4:10', 'unknown attribute `ipadr`', 'Did you mean `ipaddr`?'],
    ['  server b ipaddr=1.2.3', '4:19', '`1.2.3` is not an IPv4'],
    ['server b ipaddr=1.2.3.4 port=x', '4:30', '`x` is not a port'],
    ['server b ipaddr = 1.2.3.4', '4:10', '`ipaddr` is not of the form key=value'],
    ['server b', '4:1', 'has no attribute `ipaddr`'],
    ['fileset b servername=muskoks', '4:22', 'served by `muskoks`', 'Did you mean `muskox`?'],
    ['fileset b servername=muskox replicator=c,muskox', '4:42', '`muskox` serves fileset `b`'],
    [
      'fileset b servername=muskox replicator=c,,d',
      '4:42',
      'the name of the replicator is missing',
    ],
    ['fileset b servername=muskox policy=never', '4:36', '`never` is none of'],
    ['invite clientC', '4:8', 'replicates no fileset', '`clientB`'],
    ['invite clientA x=y', '4:16', 'unknown attribute `x`'],
    ['remove server=bison', '4:15', 'no server `bison`'],
    ['remove mount=/izo7', '4:14', 'mounts at `/izo7`'],
    ['remove shared', '4:8', '`shared` is not of the form'],
    ['mount /izo0 fileset=shred cache=/x', '4:1', 'no fileset `shred`', 'Did you mean `shared`?'],
    ['mount izo0 fileset=shared cache=/x', '4:7', '`izo0` is not an absolute path'],
    ['mount /izo0 fileset=shared cache=/x size=big', '4:42', '`big` is not a size'],
    ['mount /izo0 fileset=shared cache=/x options=noexce', '4:1', '`noexce`'],
    [
      'mount /izo0 fileset=shared cache=/x prestodev=/dev/intermezzo1',
      '4:1',
      'no sysid of this host',
    ],
    [
      'mount /a fileset=shared cache=/x\nmount /b fileset=shared cache=/x',
      '5:1',
      'is mounted at `/a`',
    ],
    ['sysid b psdev=/dev/intermezzo0 file=sysid.b', '4:1', 'share the psdev `/dev/intermezzo0`'],
    ['sysid muskox psdev=/dev/intermezzo1 file=sysid.b', '4:1', 'share their name'],
    ['sysid b psdev=/dev/intermezzo1 file=../b', '4:37', 'cannot be the name of a sysid file'],
    [
      '{"server": [{"name": "a", "ipaddr": "1.2.3.4",\n "prt": 1}]}',
      '2:2',
      'unknown attribute `prt`',
      '`port`',
    ],
    ['{"server": {"name": "a",\n}}', '2:1', 'this is not JSON'],
    ['{"server": {"name": "a", "ipaddr": {}}}', '1:36', 'the value of `ipaddr` is no text'],
    ['{"server": 7}', '1:12', '`server` must hold objects'],
    ['["server"]', '1:1', 'the answers are no object'],
  ];

  for (const [text, place, ...says] of cases) {
    it(`${text.replaceAll('\n', ' ')}: ${place}`, () => {
      const configDir = directory();
      const where = { configDir, fstab: `${configDir}/fstab` };
      const whole = /^[[{]/.test(text) ? text : GOOD + text;
      const error = errorOf(() =>
        planConfiguration(readAnswers(answersTree('f', whole)), readExisting(where), FACTS),
      );
      assert.equal(`${error.place?.line}:${error.place?.column}`, place, error.message);
      const said = `${error.message} ${error.remedy}`;
      for (const words of says) assert.ok(said.includes(words), said);
    });
  }
});

describe('lines of fstab', () => {
  const MOUNT: FstabMount = {
    fileset: 'shared',
    cache: '/tmp/fs0',
    mtpt: '/izo0',
    prestodev: '/dev/intermezzo0',
    cacheType: 'ext3',
    loop: true,
    options: 'noauto',
  };
  const LINE =
    '/tmp/fs0 /izo0 InterMezzo loop,fileset=shared,prestodev=/dev/intermezzo0,mtpt=/izo0,cache_type=ext3,noauto 0 0';

  it('are those of the HOWTO', () => {
    assert.equal(editFstab('fstab', '', [MOUNT], []), `${LINE}\n`);
  });

  it('stay as they are where they say so already, in whatever order and white space', () => {
    const text =
      '# ours\n/tmp/fs0\t/izo0 InterMezzo noauto,loop,fileset=shared,cache_type=ext3,mtpt=/izo0,prestodev=/dev/intermezzo0  0 0';
    assert.equal(editFstab('fstab', text, [MOUNT], []), text);
  });

  it('change alone', () => {
    const text = `proc /proc proc defaults 0 0\n${LINE}\n# the end`;
    const other = { ...MOUNT, cache: '/dev/hda9', loop: false };
    assert.equal(
      editFstab('fstab', text, [other], []),
      text.replace('/tmp/fs0', '/dev/hda9').replace('loop,', ''),
    );
    const added = { ...MOUNT, mtpt: '/izo1' };
    assert.equal(
      editFstab('fstab', text, [added], ['/izo0']),
      text.replace(`${LINE}\n`, '') + `\n${LINE.replaceAll('/izo0', '/izo1')}\n`,
    );
  });
});

function plain(each: object): Record<string, unknown> {
  const rest = Object.entries(each).filter(([key]) => key !== 'place' && key !== 'places');
  return Object.fromEntries(rest);
}

function withoutPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(plain(value)).map(([key, each]) => [key, withoutPlaces(each)]),
  );
}
