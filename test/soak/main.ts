/**
 * A server and three clients on this machine, each with programs at work, that are cut off, killed, filled up and unmounted
 * at random; then everything is healed and checked, again and again.
 *
 *   npm run soak -- [--minutes N] [--seed S] [--round SECONDS] [--json FILE]
 *
 * Ends with one line of figures; exit code 1 where anything was violated. What was found is kept in soak-SEED/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { noTotals, Soak, type Totals } from './soak.js';
import type { Usage } from './checks.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    round: { type: 'string', default: '25' },
    json: { type: 'string' },
  },
});

function number(name: 'minutes' | 'seed' | 'round', least: number): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value >= least) return value;
  process.stderr.write(`soak: --${name} is a number from ${least} on, not "${values[name]}"\n`);
  process.exit(2);
}

function figures({ rounds, operations, faults, conflicts, tokens, violations }: Totals): string {
  const cuts = faults.cut + faults.silence;
  const kills = faults['kill-lento'] + faults['kill-presto'];
  const others = Object.values(faults).reduce((sum, n) => sum + n, 0) - cuts - kills;
  return (
    `${rounds} rounds: ${operations} operations (${tokens} closed contents followed), ${cuts} cuts, ${kills} kills, ` +
    `${others} restarts, remounts, full disks and pauses, ${conflicts} conflicts, ${violations} violations`
  );
}

function growth(
  first: Readonly<Record<string, Usage>>,
  last: Readonly<Record<string, Usage>>,
): string[] {
  const mib = (usage: Usage | undefined): string => String((usage?.bytes ?? 0) >> 20);
  return Object.keys(last).map(
    (name) =>
      `${name}: ${mib(first[name])} -> ${mib(last[name])} MiB, ${first[name]?.fds ?? 0} -> ${last[name]?.fds ?? 0} files open`,
  );
}

async function main(): Promise<void> {
  const seed = number('seed', 0);
  const chaosMs = number('round', 1) * 1000;
  const deadline = Date.now() + number('minutes', 0) * 60_000;
  say(
    `seed ${seed}; again: npm run soak -- --seed ${seed} --minutes ${values.minutes} --round ${values.round}`,
  );
  const stop = new AbortController();
  // Not once(): with no listener left, execa would have the signal end this process while a program runs.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // Who says so again is in a hurry. What is left is taken away all the same, see startJanitor().
      if (stop.signal.aborted) process.exit(130);
      say(`${signal}: taking everything away`);
      stop.abort();
    });
  }
  const totals = noTotals();
  try {
    await rounds(totals, { seed, chaosMs, deadline, stop: stop.signal });
  } catch (error) {
    // Programs that were told of a Ctrl-C as well have failed.
    if (!stop.signal.aborted) throw error;
  } finally {
    for (const line of growth(totals.first, totals.last)) say(line);
    say(figures(totals));
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify({ seed, ...totals }, null, 2)}\n`);
    }
    if (totals.violations > 0) process.exitCode = 1;
    else if (stop.signal.aborted) process.exitCode = 130;
  }
}

interface Wanted {
  readonly seed: number;
  readonly chaosMs: number;
  readonly deadline: number;
  readonly stop: AbortSignal;
}

async function rounds(totals: Totals, wanted: Wanted): Promise<void> {
  const soak = await Soak.make(totals, wanted.stop);
  try {
    await roundsOf(soak, wanted);
  } finally {
    for (const line of await soak.end()) {
      totals.violations++;
      say(`left: ${line}`);
    }
  }
}

/** Until the time is over, or something was violated: what comes after that says little. */
async function roundsOf(soak: Soak, { seed, chaosMs, deadline, stop }: Wanted): Promise<void> {
  for (let round = 0; round === 0 || Date.now() < deadline; round++) {
    stop.throwIfAborted();
    const begin = Date.now();
    const own = seed + round;
    const { verdict, story } = await soak.round({ seed: own, chaosMs });
    const { operations, conflicts, files, violations } = verdict;
    const seconds = Math.round((Date.now() - begin) / 1000);
    const faults = story.filter((line) => !line.includes(' over: ')).length;
    say(
      `round ${round + 1}, seed ${own}, ${seconds} s: ${operations} operations, ${faults} faults, ${conflicts} conflicts, ` +
        `${files} files equal, ${violations.length} violations`,
    );
    if (violations.length > 0) {
      for (const line of violations) say(`  ${line}`);
      const kept = resolve(`soak-${own}`);
      mkdirSync(kept, { recursive: true });
      writeFileSync(join(kept, 'story'), `${[...story, ...violations].join('\n')}\n`);
      soak.keep(kept);
      say(
        `  kept: ${kept}; again: npm run soak -- --minutes 0 --seed ${own} --round ${values.round}`,
      );
      return;
    }
    await soak.clean(own);
  }
}

await main();
