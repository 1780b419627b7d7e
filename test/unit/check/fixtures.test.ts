import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { check } from '../../../src/core/check/check.js';
import { surveyFiles, type Survey } from '../../../src/core/check/survey.js';
import { brokenDirectory, fixtures, temporaryDirectories } from '../config/support.js';
import { healthyHost } from './healthy.js';

const CHECKS = join(fixtures, 'checks');
const NAMES = readdirSync(CHECKS).filter((name) => name !== 'base');

describe('the check of broken configurations', () => {
  const temporary = temporaryDirectories();

  /** The configuration that is right, with the files of the fixture in place of its own. */
  function variant(overlay?: string): Survey {
    const configDir = temporary('checks/base');
    if (overlay !== undefined) cpSync(overlay, configDir, { recursive: true });
    return surveyFiles({ configDir, idfile: 'sysid', fstab: join(configDir, 'fstab') });
  }

  const told = (survey: Survey): string[] =>
    check(survey, healthyHost(survey)).map(
      ({ severity, id, place: { file, line, column } }) =>
        `${severity} ${id} ${basename(file)}:${String(line)}:${String(column)}`,
    );

  it('finds nothing in the one that is right', () => {
    assert.deepEqual(told(variant()), []);
  });

  it('has enough of them', () => {
    assert.ok(NAMES.length >= 40, String(NAMES.length));
  });

  for (const name of NAMES) {
    it(name, () => {
      const expected = readFileSync(join(CHECKS, name, 'expected'), 'utf8')
        .trim()
        .split('\n');
      assert.deepEqual(told(variant(join(CHECKS, name))).sort(), expected.sort());
    });
  }

  for (const [what, breakIt, expected] of [
    ['is not there', (file: string) => rmSync(file), 'error IZO1001'],
    [
      'is a directory',
      (file: string) => {
        rmSync(file);
        mkdirSync(file);
      },
      'error IZO1002',
    ],
    ['is too large', (file: string) => truncateSync(file, 2 ** 20 + 1), 'error IZO1003'],
    [
      'is no text',
      (file: string) => writeFileSync(file, '<serverdb>\xff', 'latin1'),
      'error IZO1004',
    ],
  ] as const) {
    it(`tells of a file that ${what}, and of nothing else`, () => {
      for (const name of ['serverdb', 'fsetdb', 'sysid']) {
        const configDir = temporary('checks/base');
        breakIt(join(configDir, name));
        const broken = surveyFiles({ configDir, idfile: 'sysid', fstab: '/nowhere' });
        const found = told(broken).filter((line) => !line.startsWith('note'));
        const others = found.filter((line) => !line.startsWith(`${expected} ${name}:`));
        assert.ok(found.length > others.length, found.join());
        assert.deepEqual(others, []);
      }
    });
  }

  it('tells of an fstab that cannot be read', () => {
    const configDir = temporary('checks/base');
    const survey = surveyFiles({ configDir, idfile: 'sysid', fstab: configDir });
    assert.ok(told(survey).includes(`warning IZO3001 ${basename(configDir)}:undefined:undefined`));
  });

  for (const name of readdirSync(brokenDirectory)) {
    const kind = name.split('.').at(-1) ?? '';
    it(`tells of ${name} what its reader tells, and of no other file`, () => {
      const configDir = temporary('checks/base');
      cpSync(join(brokenDirectory, name), join(configDir, kind));
      const survey = surveyFiles({ configDir, idfile: 'sysid', fstab: '/nowhere' });
      const found = check(survey, healthyHost(survey)).filter(
        ({ severity }) => severity !== 'note',
      );
      assert.ok(found.length > 0);
      for (const { place, id, explanation, remedy } of found) {
        assert.equal(basename(place.file), kind);
        assert.match(id, /^IZO1\d{3}$/);
        assert.match(explanation, /\.$/);
        assert.match(remedy, /\S/);
      }
    });
  }
});
