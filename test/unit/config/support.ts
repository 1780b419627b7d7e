import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IzoError } from '../../../src/core/model/errors.js';

export const fixtures = fileURLToPath(new URL('../../fixtures/config', import.meta.url));
export const brokenDirectory = join(fixtures, 'broken');

/**
 * For a describe block: a function that makes directories, empty or a copy of a fixture, which are removed after the
 * test that made them.
 */
export function temporaryDirectories(): (fixture?: string) => string {
  const made: string[] = [];
  afterEach(() => {
    for (const each of made.splice(0)) rmSync(each, { recursive: true, force: true });
  });
  return (fixture) => {
    const directory = mkdtempSync(join(tmpdir(), 'izo-config-'));
    made.push(directory);
    if (fixture !== undefined) cpSync(join(fixtures, fixture), directory, { recursive: true });
    return directory;
  };
}

/** The IzoError that a call throws; anything else fails the test. */
export function errorOf(call: () => unknown): IzoError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof IzoError, `not an IzoError: ${String(error)}`);
    return error;
  }
  return assert.fail('nothing was thrown');
}
