import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatScenario, parseScenario, perform } from './script.js';

const UPDATE = process.env['UPDATE'] === '1';
const DIRECTORY = import.meta.dirname;

/** Written by hand but for the golden parts: those are made by `UPDATE=1 npx mocha 'test/scenarios/*.test.ts'`. */
describe('scenarios of replication', () => {
  for (const name of readdirSync(DIRECTORY).filter((file) => file.endsWith('.txt'))) {
    it(name.replace('.txt', '').replaceAll('-', ' '), () => {
      const path = join(DIRECTORY, name);
      const scenario = parseScenario(readFileSync(path, 'utf8'));
      const performed = perform(scenario);
      if (UPDATE) writeFileSync(path, formatScenario(performed));
      else assert.equal(formatScenario(performed), formatScenario(scenario));
    });
  }
});
