/**
 * Runs files of tests, one after the other, as scripts/test.js asks by messages: what costs much is to start, and to load
 * what all of them use. Ends when it is let go and nothing is open any more.
 */
import { readFileSync } from 'node:fs';
import Mocha from 'mocha';

const { timeout, slow, reporter } = JSON.parse(readFileSync('.mocharc.json', 'utf8'));

// As mocha's own program does: a rejection that nobody handles fails the test in which it happens.
process.on('unhandledRejection', (reason) => {
  throw reason;
});

async function run(file) {
  const mocha = new Mocha({ timeout, slow, reporter, reporterOptions: { total: false } });
  mocha.addFile(file);
  await mocha.loadFilesAsync();
  return new Promise((resolve) => {
    const runner = mocha.run(() => {
      const { passes, failures, pending } = runner.stats;
      // Otherwise it would still take what happens in later files for its own.
      runner.dispose();
      resolve({ passed: passes, failed: failures, skipped: pending });
    });
  });
}

process.on('message', async (file) => {
  try {
    process.send(await run(file));
  } catch (error) {
    process.stdout.write(`  FAILURE: ${file} cannot be loaded\n      ${error.stack}\n`);
    process.send({ passed: 0, failed: 1, skipped: 0 });
  }
});
