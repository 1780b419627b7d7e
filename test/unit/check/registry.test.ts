import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diagnosticsDocument } from '../../../src/core/check/document.js';
import { SECTIONS } from '../../../src/core/check/registry.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ROWS = SECTIONS.flatMap(({ rows }) => rows);

/** Sources that a check runs, apart from the registry itself. */
function sources(directory: string): string[] {
  return readdirSync(join(ROOT, directory), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts') && !name.startsWith('registry'))
    .map((name) => readFileSync(join(ROOT, directory, name), 'utf8'));
}

describe('the registry of diagnostics', () => {
  it('has every id and every code once', () => {
    for (const column of [0, 1] as const) {
      const words = ROWS.map((row) => row[column]);
      assert.deepEqual(
        words.filter((word, index) => words.indexOf(word) !== index),
        [],
      );
    }
    for (const [id] of ROWS) assert.match(id, /^IZO[1-8]\d{3}$/);
  });

  it('says of each what it is and why it matters', () => {
    for (const [id, , , what, why] of ROWS) {
      assert.match(what, /^[A-Za-z].*[^.]$/, id);
      assert.match(why, /^[A-Z].*\.$/, id);
    }
  });

  it('has nothing that no check tells', () => {
    const text = ['check', 'config', 'wire'].flatMap((each) => sources(`src/core/${each}`)).join();
    for (const [id, code] of ROWS) assert.ok(text.includes(`'${code}'`), `${id} ${code}`);
  });

  it('has nothing that no test is told', () => {
    const names = readdirSync(join(ROOT, 'test'), { recursive: true }).map(String);
    const told = names
      .filter((name) => name.endsWith('.test.ts') || basename(name) === 'expected')
      .map((name) => readFileSync(join(ROOT, 'test', name), 'utf8'))
      .join();
    assert.deepEqual(
      ROWS.map(([id]) => id).filter((id) => !told.includes(id)),
      [],
    );
  });

  it('knows every problem that the readers of the configuration tell', () => {
    const readers = ['elements', 'fsetdb', 'serverdb', 'sysid', 'text-file', 'values', 'xml-tree'];
    const codes = new Set(ROWS.map(([, code]) => code));
    for (const reader of readers) {
      const text = readFileSync(join(ROOT, `src/core/config/${reader}.ts`), 'utf8');
      const told = [...text.matchAll(/(?:code: |refuse\(\s*)'([a-z-]+)'/g)].map(([, code]) => code);
      for (const code of told) assert.ok(codes.has(code ?? ''), `${reader}: ${String(code)}`);
    }
  });

  it('is what docs/diagnostics.md says (npm run docs)', () => {
    const document = readFileSync(join(ROOT, 'docs/diagnostics.md'), 'utf8');
    assert.equal(document, diagnosticsDocument());
  });
});
