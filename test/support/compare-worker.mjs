/**
 * Compares trees for somebody who must not touch them himself: a file system that hangs takes this process with it, and
 * it alone. Each message is a pair of paths; the answer is the comparison, or the words of what was thrown.
 */
import { compareTrees } from '../../dist/core/demo/compare-trees.js';

process.on('message', ([left, right]) => {
  try {
    process.send({ result: compareTrees(left, right) });
  } catch (error) {
    process.send({ error: String(error) });
  }
});
