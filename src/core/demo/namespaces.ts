import { run } from '../system/processes.js';

/** Two hosts' ends of one cable. */
export interface Cable {
  readonly namespaces: readonly [string, string];
  /** The network interfaces in them. */
  readonly links: readonly [string, string];
  readonly addresses: readonly [string, string];
}

/**
 * Makes two network namespaces joined by a veth pair: two hosts as far as the network is concerned.
 * @returns undefined where this machine does not allow it
 */
export async function layCable(tag: string): Promise<Cable | undefined> {
  const namespaces = [`izo-${tag}-a`, `izo-${tag}-b`] as const;
  const links = [`iz${tag}a`, `iz${tag}b`] as const;
  const addresses = ['10.23.0.1', '10.23.0.2'] as const;
  try {
    for (const name of namespaces) await run('ip', ['netns', 'add', name]);
    await run('ip', ['link', 'add', links[0], 'type', 'veth', 'peer', 'name', links[1]]);
    for (const side of [0, 1] as const) {
      const inside = (...args: string[]) => run('ip', ['-n', namespaces[side], ...args]);
      await run('ip', ['link', 'set', links[side], 'netns', namespaces[side]]);
      await inside('address', 'add', `${addresses[side]}/24`, 'dev', links[side]);
      await inside('link', 'set', links[side], 'up');
      await inside('link', 'set', 'lo', 'up');
    }
    return { namespaces, links, addresses };
  } catch {
    await removeNamespaces(namespaces);
    return undefined;
  }
}

/** Their links go with them. */
export async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const name of names) await run('ip', ['netns', 'delete', name], { okCodes: [1, 255] });
}
