import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What is loaded when it is needed, if it is there: programs for developers, and native addons. */
const EXTERNAL = ['koffi', 'fuse-native', 'node-gyp-build', 'typescript', 'ts-node'];

/** CommonJS packages look for Node's own modules with `require`, which ES modules do not have. */
const BANNER = `import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);`;

function modulesBelow(directory) {
  return readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(directory, name));
}

/**
 * Puts the program together with the packages that it uses into a few files below `bundle`: to find and load its hundreds
 * of modules one by one is most of what a command takes to start. What several commands need is in files of its own.
 * @param dist the compiled modules
 */
export async function bundle(root, dist) {
  // The set-up script imports this before there are any packages.
  const { build } = await import('esbuild');
  const { oclif } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const hooks = Object.values(oclif.hooks).map((hook) => join(dist, hook.split('/bundle/')[1]));
  await build({
    entryPoints: [join(dist, 'main.js'), ...modulesBelow(join(dist, 'commands')), ...hooks],
    outbase: dist,
    outdir: join(dist, 'bundle'),
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    external: EXTERNAL,
    // All of it can write XML, too, and nothing here does.
    alias: { xml2js: 'xml2js/lib/parser.js' },
    banner: { js: BANNER },
    logLevel: 'warning',
  });
}
