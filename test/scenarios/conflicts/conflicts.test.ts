import { goldenTests } from '../golden.js';
import { Story } from './story.js';

describe('scenarios of conflicts', () => {
  goldenTests(import.meta.dirname, () => new Story());
});
