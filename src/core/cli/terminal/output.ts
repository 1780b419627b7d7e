import { writeSync } from 'node:fs';
import { EXIT } from '../../model/exit-codes.js';

/**
 * What a command says is its result: where that cannot be written, as on a full disk, it has failed, and says so in a line.
 * A reader that has enough (`| head`) is no error.
 */
export function watchOutput(): void {
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    sayDirectly(`izo: standard output cannot be written (${error.code ?? error.message}). `);
    sayDirectly('Try: Make room where it goes, or give another file.\n');
    process.exit(EXIT.failure);
  });
  // Nobody is left who could be told: whoever runs goes on, with its work or to its exit code.
  process.stderr.on('error', () => undefined);
}

function sayDirectly(words: string): void {
  try {
    writeSync(2, words);
  } catch {
    // As above.
  }
}
