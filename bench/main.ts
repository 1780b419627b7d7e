import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { benchFs } from './fs/fs.js';
import { benchSync } from './sync/sync.js';
import { benchScale } from './scale/scale.js';
import { parseOptions, USAGE, UsageError, type BenchOptions } from './harness/options.js';

/** What a part of the benchmark hands back: for JSON. */
type Part = (
  options: BenchOptions,
  say: (line: string) => void,
  signal: AbortSignal,
) => Promise<unknown>;

const PARTS: Readonly<Record<string, Part>> = {
  fs: benchFs,
  sync: benchSync,
  scale: benchScale,
};

/** Ctrl-C: what was mounted for the measurements is unmounted first. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Not `once`: execa ends the process where it finds no other listener.
  process.on(signal, () => {
    stop.abort(new Error(`ended by ${signal}`));
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2), Object.keys(PARTS), tmpdir());
  const results: Record<string, unknown> = {};
  for (const name of options.parts) {
    say(`== ${name}\n`);
    const printed: string[] = [];
    const print = (line: string): void => {
      printed.push(line);
      say(line);
    };
    const result = (await PARTS[name]?.(options, print, stop.signal)) as object;
    results[name] = { ...result, printed: printed.join('\n') };
    // After each part: a later one that fails takes nothing away.
    if (options.json !== undefined) {
      writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
    }
  }
}

try {
  await main();
} catch (error) {
  const known = error instanceof UsageError;
  const words = error instanceof Error ? (known ? error.message : error.stack) : String(error);
  process.stderr.write(`bench: ${words ?? ''}\n${known ? `\n${USAGE}\n` : ''}`);
  process.exitCode = known ? 2 : 1;
}
