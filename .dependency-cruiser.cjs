/**
 * The import rule of docs/architecture.md: imports point down only. Each layer may import the layers listed for it, and
 * `model` always. No cycles anywhere.
 */
const may = {
  model: [],
  system: [],
  replication: [],
  history: ['journal'],
  wire: ['system'],
  fuse: ['system'],
  journal: ['system'],
  cache: ['journal', 'system'],
  config: ['system'],
  presto: ['cache', 'fuse', 'journal', 'psdev', 'config', 'system'],
  psdev: ['system', 'journal'],
  conflicts: ['system'],
  lento: ['cache', 'config', 'conflicts', 'journal', 'psdev', 'replication', 'wire', 'system'],
  install: ['system'],
  recovery: ['cache', 'journal', 'system'],
  demo: ['presto', 'cache', 'system'],
  report: ['config', 'presto', 'system'],
  setup: ['config', 'cache', 'system'],
  check: ['config', 'cache', 'lento', 'wire', 'fuse', 'presto', 'demo', 'system'],
  cli: [
    ...[
      'check',
      'recovery',
      'history',
      'setup',
      'lento',
      'presto',
      'config',
      'conflicts',
      'cache',
      'journal',
      'psdev',
      'system',
    ],
  ],
};

const layers = Object.keys(may);

const layerRules = layers.map((layer) => ({
  name: `imports-of-${layer}`,
  comment: `src/core/${layer} may import only: ${['model', ...may[layer]].join(', ')}`,
  severity: 'error',
  from: { path: `^src/core/${layer}/` },
  to: {
    path: '^src/',
    pathNot: `^src/core/(${[layer, 'model', ...may[layer]].join('|')})/`,
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-core',
      comment: 'model and replication decide; they do no I/O',
      severity: 'error',
      from: { path: '^src/core/(model|replication)/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'oclif-only-on-top',
      comment: 'only commands and cli know oclif and inquirer',
      severity: 'error',
      from: { path: '^src/core/', pathNot: '^src/core/cli/' },
      to: { path: 'node_modules/(@oclif|inquirer|@inquirer)/' },
    },
    {
      name: 'koffi-only-in-system',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/core/system/' },
      to: { path: 'node_modules/koffi/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
