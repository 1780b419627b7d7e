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
import { Soak, type Totals } from './soak.js';
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
  const soak = await Soak.make();
  let isEnded = false;
  const end = async (): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    for (const line of await soak.end()) {
      soak.totals.violations++;
      say(`left: ${line}`);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      say(`${signal}: taking everything away`);
      void end().then(() => {
        say(figures(soak.totals));
        process.exit(130);
      });
    });
  }
  try {
    await rounds(soak, { seed, chaosMs, deadline });
  } finally {
    await end();
    const { first, last } = soak.totals;
    for (const line of growth(first, last)) say(line);
    say(figures(soak.totals));
    if (values.json !== undefined) {
      writeFileSync(values.json, `${JSON.stringify({ seed, ...soak.totals }, null, 2)}\n`);
    }
    if (soak.totals.violations > 0) process.exitCode = 1;
  }
}

/** Until the time is over, or something was violated: what comes after that says little. */
async function rounds(
  soak: Soak,
  { seed, chaosMs, deadline }: { seed: number; chaosMs: number; deadline: number },
): Promise<void> {
  for (let round = 0; round === 0 || Date.now() < deadline; round++) {
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
