import { goldenTests } from './golden.js';
import { Script } from './script.js';

describe('scenarios of replication', () => {
  goldenTests(import.meta.dirname, () => new Script());
});
