import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
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
