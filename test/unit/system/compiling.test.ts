import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

/** Prints whether V8 has compiled, as far as it ever does, a function that ran so often; bit 4 of its answer. */
const SCRIPT = (early: boolean, calls: number) => `
  const { compileEarly } = await import('./src/core/system/compiling.ts');
  if (${early}) compileEarly();
  const status = new Function('f', 'return %GetOptimizationStatus(f)');
  function sum(n) { let all = 0; for (let i = 0; i < 8; i++) all += n ^ i; return all; }
  for (let call = 0; call < ${calls}; call++) { sum(call); if (call % 10 === 0) await new Promise(setImmediate); }
  await new Promise((done) => setTimeout(done, 50));
  sum(1);
  console.log((status(sum) & 16) !== 0);
`;

function isCompiled(early: boolean, calls: number): boolean {
  const args = ['--import', 'tsx', '--allow-natives-syntax', '--input-type=module'];
  const { stdout, stderr } = spawnSync(process.execPath, [...args, '-e', SCRIPT(early, calls)], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '', 'V8 knows the flag');
  return stdout.trim() === 'true';
}

describe('compiling early', () => {
  it('has V8 compile what has run a hundred times', () => {
    assert.equal(isCompiled(true, 100), true);
    assert.equal(isCompiled(false, 100), false);
  });
});
