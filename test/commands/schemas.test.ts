import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertSchema, namesOfSchemas } from '../support/schemas.js';
import { izo } from './run.js';

interface Manifest {
  commands: Record<string, { enableJsonFlag?: boolean; hidden?: boolean }>;
}

const MANIFEST = new URL('../../oclif.manifest.json', import.meta.url);

/** Every answer of a command in this suite is held against its schema: see run.ts. */
describe('what commands print with --json', () => {
  it('has a schema for each of them', () => {
    const { commands } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;
    const reporting = Object.entries(commands)
      .filter(([, { enableJsonFlag, hidden }]) => enableJsonFlag === true && hidden !== true)
      .map(([id]) => id.replaceAll(':', '-'));
    assert.deepEqual([...reporting, 'error'].sort(), namesOfSchemas().sort());
  });

  it('is refused by a schema where a key is missing, or one too many', () => {
    const good = { error: { code: 'a-b', message: 'm', place: null, remedy: null, exit: 1 } };
    assertSchema('error', good);
    const { code, ...rest } = good.error;
    assert.ok(code);
    assert.throws(() => assertSchema('error', { error: rest }), /required property 'code'/);
    const more = { error: { ...good.error, stack: '' } };
    assert.throws(() => assertSchema('error', more), /additional properties/);
  });

  it('is an error with all its keys where the command fails', async () => {
    const { code, stdout } = await izo(['status', '--json'], { env: { IZO_CONFIG_DIR: '/x' } });
    const { error } = JSON.parse(stdout) as { error: { exit: number } };
    assertSchema('error', { error });
    assert.equal(error.exit, code);
  });
});
